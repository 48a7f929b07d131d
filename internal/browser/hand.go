package browser

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// find is JavaScript that returns the element which a person would mean: the
// last that is shown, so that one of a dialog comes before one behind it, with
// this text, if any is given.
func find(selector, text string) string {
	quoted, _ := json.Marshal([]string{selector, text}) // strings can always be encoded
	return fmt.Sprintf(`((selector, text) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility() && !one.disabled && one.textContent.includes(text)).at(-1))(...%s)`, quoted)
}

// aim is JavaScript that brings an element into view and returns where it is. What
// the mouse does elsewhere until hit is asked is kept from the page: a page that
// lives may have moved the element, and put another in its place.
const aim = `((one) => {
	one.scrollIntoView({ block: 'center', behavior: 'instant' });
	const { left, top, width, height } = one.getBoundingClientRect();
	if (!window.aimed) {
		for (const type of ['mousedown', 'mouseup', 'click']) addEventListener(type, (event) => {
			const { aimed } = window;
			if (aimed.over) return;
			if (!aimed.one.contains(event.target)) event.preventDefault(), event.stopImmediatePropagation();
			else if (type === 'click') aimed.hit = true;
		}, true);
	}
	window.aimed = { one, hit: false, over: false };
	return { X: left + width / 2, Y: top + height / 2 };
})`

const hit = `(aimed.over = true) && aimed.hit`

// Click waits for an element that is shown and has this text, brings it into
// view and clicks where it is, with the mouse; again, where it was no longer there.
func (p *Page) Click(ctx context.Context, selector, text string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if err := p.Wait(ctx, find(selector, text)); err != nil {
			return err
		}
		done, err := p.clickOnce(ctx, selector, text)
		if done || err != nil {
			return err
		}
	}
}

func (p *Page) clickOnce(ctx context.Context, selector, text string) (done bool, err error) {
	var at *struct{ X, Y float64 }
	if err := p.Eval(ctx, "((one) => one ? "+aim+"(one) : null)("+find(selector, text)+")", &at); err != nil || at == nil {
		return false, err
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		if err := p.call(ctx, "Input.dispatchMouseEvent", object{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil); err != nil {
			return false, err
		}
	}
	err = p.Eval(ctx, hit, &done)
	return done, err
}

// Choose sets a <select> to a value, as a choice of the reader does.
func (p *Page) Choose(ctx context.Context, selector, value string) error {
	quoted, _ := json.Marshal(value)
	return p.Eval(ctx, `((one) => {
		one.value = `+string(quoted)+`;
		if (one.value !== `+string(quoted)+`) throw new Error('no such choice');
		for (const type of ['input', 'change']) one.dispatchEvent(new Event(type, { bubbles: true }));
	})(`+find(selector, "")+`)`, nil)
}

// Type enters text where the focus is.
func (p *Page) Type(ctx context.Context, text string) error {
	return p.call(ctx, "Input.insertText", object{"text": text}, nil)
}

// Press presses a key and lets it go: "Tab", "Enter", "Escape".
func (p *Page) Press(ctx context.Context, key string) error {
	code := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27}[key]
	text := map[string]string{"Enter": "\r"}[key]
	for _, kind := range []string{"keyDown", "keyUp"} {
		event := object{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
		if kind == "keyDown" && text != "" {
			event["text"] = text
		}
		if err := p.call(ctx, "Input.dispatchKeyEvent", event, nil); err != nil {
			return err
		}
	}
	return nil
}

// Screenshot returns what is shown, as PNG.
func (p *Page) Screenshot(ctx context.Context) ([]byte, error) {
	var shot struct {
		Data string `json:"data"`
	}
	if err := p.call(ctx, "Page.captureScreenshot", object{"format": "png"}, &shot); err != nil {
		return nil, err
	}
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		return nil, fmt.Errorf("decode screenshot: %w", err)
	}
	return png, nil
}
