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

// Click waits for an element that is shown and has this text, brings it into
// view and clicks where it is, with the mouse.
func (p *Page) Click(ctx context.Context, selector, text string) error {
	if err := p.Wait(ctx, find(selector, text)); err != nil {
		return err
	}
	var at struct{ X, Y float64 }
	err := p.Eval(ctx, `((one) => {
		one.scrollIntoView({ block: 'center', behavior: 'instant' });
		const { left, top, width, height } = one.getBoundingClientRect();
		const at = { X: left + width / 2, Y: top + height / 2 };
		const hit = document.elementFromPoint(at.X, at.Y);
		if (!one.contains(hit)) throw new Error('behind ' + hit?.outerHTML);
		return at;
	})(`+find(selector, text)+`)`, &at)
	if err != nil {
		return err
	}
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		if err := p.call(ctx, "Input.dispatchMouseEvent", object{"type": kind, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil); err != nil {
			return err
		}
	}
	return nil
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
