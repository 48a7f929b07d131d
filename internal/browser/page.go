package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Screen is what a page is shown on. It is a value.
type Screen struct {
	Width, Height int
	Dark          bool
}

// Page is one tab, with storage of its own. One goroutine uses it at a time.
type Page struct {
	conn    *conn
	session string

	mu    sync.Mutex
	wrong []string
}

// object is what parameters are made of.
type object = map[string]any

// Open shows an address on a screen of this kind, and waits until it is loaded.
func (b *Browser) Open(ctx context.Context, address string, screen Screen) (*Page, error) {
	var storage struct {
		ID string `json:"browserContextId"`
	}
	if err := b.conn.call(ctx, "", "Target.createBrowserContext", nil, &storage); err != nil {
		return nil, err
	}
	var target struct {
		ID string `json:"targetId"`
	}
	if err := b.conn.call(ctx, "", "Target.createTarget", object{"url": "about:blank", "browserContextId": storage.ID}, &target); err != nil {
		return nil, err
	}
	var attached struct {
		Session string `json:"sessionId"`
	}
	if err := b.conn.call(ctx, "", "Target.attachToTarget", object{"targetId": target.ID, "flatten": true}, &attached); err != nil {
		return nil, err
	}
	p := &Page{conn: b.conn, session: attached.Session}
	b.conn.listen(p.session, p.notice)
	if err := p.prepare(ctx, screen); err != nil {
		return nil, err
	}
	if err := p.call(ctx, "Page.navigate", object{"url": address}, nil); err != nil {
		return nil, err
	}
	return p, p.Wait(ctx, "document.readyState === 'complete'")
}

func (p *Page) prepare(ctx context.Context, screen Screen) error {
	scheme := "light"
	if screen.Dark {
		scheme = "dark"
	}
	for _, c := range []struct {
		method string
		params object
	}{
		{"Page.enable", nil}, {"Runtime.enable", nil}, {"Log.enable", nil},
		{"Emulation.setDeviceMetricsOverride", object{"width": screen.Width, "height": screen.Height, "deviceScaleFactor": 1, "mobile": screen.Width < 600}},
		{"Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}}},
		{"Emulation.setFocusEmulationEnabled", object{"enabled": true}},
	} {
		if err := p.call(ctx, c.method, c.params, nil); err != nil {
			return err
		}
	}
	return nil
}

func (p *Page) call(ctx context.Context, method string, params, result any) error {
	return p.conn.call(ctx, p.session, method, params, result)
}

// notice keeps what went wrong on the page: exceptions, and what the browser
// itself refused or could not load.
func (p *Page) notice(m message) {
	var says string
	switch m.Method {
	case "Runtime.exceptionThrown":
		says = string(m.Params)
	case "Log.entryAdded":
		var added struct {
			Entry struct {
				Level, Text, URL string
			} `json:"entry"`
		}
		if json.Unmarshal(m.Params, &added) != nil || added.Entry.Level != "error" {
			return
		}
		says = added.Entry.Text + " " + added.Entry.URL
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = append(p.wrong, says)
}

// Wrong returns what has gone wrong on the page so far.
func (p *Page) Wrong() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.wrong)
}

// Eval runs an expression of JavaScript, waits where it is a promise, and reads
// its value into result, unless that is nil.
func (p *Page) Eval(ctx context.Context, expression string, result any) error {
	var answer struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	err := p.call(ctx, "Runtime.evaluate", object{"expression": expression, "returnByValue": true, "awaitPromise": true}, &answer)
	if err != nil {
		return err
	}
	if e := answer.Exception; e != nil {
		return fmt.Errorf("evaluate %s: %s %s", expression, e.Text, e.Exception.Description)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Result.Value, result); err != nil {
		return fmt.Errorf("evaluate %s: %w", expression, err)
	}
	return nil
}

// patience is how long a page may take to become what it should.
const patience = time.Minute

// Wait waits until an expression is true.
func (p *Page) Wait(ctx context.Context, expression string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var is bool
		err := p.Eval(ctx, "Boolean("+expression+")", &is)
		if is {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w (%v)", expression, ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
