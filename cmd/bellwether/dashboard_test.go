package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/internal/browser"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// reader is a person before the dashboard, in a real browser, whose network can
// be cut.
type reader struct {
	*serving
	t       *testing.T
	browser *browser.Browser
	page    *browser.Page
	network *playground.Relay
}

// TestDashboard uses the page as a person does, in a real Chromium, in front of
// real servers.
func TestDashboard(t *testing.T) {
	servers := playground.ForTest(t, playground.Options{Flavour: playground.MySQL, Slaves: 2, Relaxed: true})
	s := startServingAs(t, servers, demoOptions{proxy: "127.0.0.1:0", admin: "127.0.0.1:0", feed: "relay"})
	s.bePatient(t, patientHold, 10*time.Second)
	r := &reader{serving: s, t: t, browser: browser.ForTest(t), network: relayTo(t, s.house.admin.Addr().String())}
	r.page = r.open(browser.Screen{Width: 1440, Height: 900})
	r.must("document.querySelector('#sentence').textContent === 'Ready. node1 is the master, and writes are open.'")
	r.must("document.querySelectorAll('.slaves [data-condition=good]').length === 2 && document.querySelector('.top [data-node=node1][data-role=master]')")
	startShop(t, s)
	r.checkKill()
	r.checkSwitchover()
	r.checkDrain()
	r.takePictures()
	r.checkLostConnection()
	if wrong := r.page.Wrong(); len(wrong) > 0 && !r.onlyNetwork(wrong) {
		t.Errorf("the browser says: %s", strings.Join(wrong, "\n"))
	}
	r.checkToken()
	r.checkPhone()
}

// relayTo is a network to an address that ends with the test.
func relayTo(t *testing.T, address string) *playground.Relay {
	t.Helper()
	network, err := playground.NewRelay("127.0.0.1:0", address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error { return network.Run(ctx) })
	t.Cleanup(func() {
		stop()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	})
	return network
}

func (r *reader) open(screen browser.Screen) *browser.Page {
	r.t.Helper()
	page, err := r.browser.Open(r.t.Context(), "http://"+r.network.Addr()+"/", screen)
	if err != nil {
		r.t.Fatal(err)
	}
	return page
}

// must waits until something is so on the page.
func (r *reader) must(expression string) {
	r.t.Helper()
	if err := r.page.Wait(r.t.Context(), expression); err != nil {
		var text string
		_ = r.page.Eval(r.t.Context(), "document.body.innerText", &text) // only to tell more
		r.t.Fatalf("%v\n%s\nthe page:\n%s", err, strings.Join(r.page.Wrong(), "\n"), text)
	}
}

func (r *reader) click(selector, text string) {
	r.t.Helper()
	if err := r.page.Click(r.t.Context(), selector, text); err != nil {
		r.t.Fatal(err)
	}
}

// is says whether something is so on the page now.
func (r *reader) is(expression string) (so bool) {
	r.t.Helper()
	r.do(r.page.Eval(r.t.Context(), "Boolean("+expression+")", &so))
	return so
}

func (r *reader) do(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// checkKill: a session is shown with what pins it, and is ended from the page.
func (r *reader) checkKill() {
	pinned := session(r.t, r.serving.open(r.t))
	execAll(r.t, pinned, "CREATE TEMPORARY TABLE shop.basket (id INT)")
	var id uint32
	r.do(pinned.QueryRowContext(r.t.Context(), "SELECT CONNECTION_ID()").Scan(&id))
	row := fmt.Sprintf("#sessions tr[data-key='%d']", id)
	r.click("#sessions-pinned", "")
	r.must("document.querySelector(\"" + row + "\")?.textContent.includes('temporary table')")
	r.click(row+" button", "End…")
	r.click("dialog button.danger", fmt.Sprintf("End session %d", id))
	r.must("!document.querySelector('dialog') && !document.querySelector(\"" + row + "\")")
	if err := pinned.PingContext(r.t.Context()); err == nil {
		r.t.Error("the session that was ended on the page goes on")
	}
	r.click("#sessions-pinned", "")
}

// checkSwitchover: the plan is shown first, then a button says what will happen,
// and then the picture has another master.
func (r *reader) checkSwitchover() {
	deadline := time.Now().Add(4 * time.Minute)
	for !r.orderSwitchover() { // a machine that is too slow for its steps leaves the roles as they were
		if time.Now().After(deadline) {
			r.t.Fatal("no switchover succeeds")
		}
	}
	r.must("document.querySelector('.top [data-node=node2][data-role=master]') && document.querySelector('.slaves [data-node=node1][data-role=slave]')")
	r.must("document.querySelector('#sentence').textContent.startsWith('Ready. node2 is the master')")
	r.checkOneWritable(r.t)
	const done = "#incidents li[data-tone=good]"
	r.must("document.querySelector('" + done + "')?.textContent.includes('node1 → node2')")
	r.must("document.querySelectorAll('" + done + " details[open] .steps li').length > 3") // it was opened while it ran
	r.must("document.querySelector('" + done + " dl').textContent.includes('a test of the page')")
	r.click(done+" summary", "node1 → node2")
	r.must("!document.querySelector('" + done + " details[open]')")
}

// orderSwitchover makes node2 the master, and reports whether it is.
func (r *reader) orderSwitchover() (done bool) {
	r.click("#orders button", "Switch over…")
	r.do(r.page.Choose(r.t.Context(), "dialog select[name=to]", "node2"))
	r.click("dialog input[name=reason]", "")
	r.do(r.page.Type(r.t.Context(), "a test of the page"))
	r.must("document.querySelector('dialog .plan pre')?.textContent.includes('node2')")
	if r.master() != "node1" {
		r.t.Fatal("the plan alone has changed the master")
	}
	r.picture("plan")
	if r.is("!document.querySelector('dialog .plan .refused')") {
		r.click("dialog button.primary", "Make node2 the master")
		r.must("document.querySelector('dialog .line .chip, dialog .refused')?.textContent.match('^(?!running)')")
		done = r.is("document.querySelector('dialog .line .chip')?.textContent === 'done'")
	}
	r.do(r.page.Press(r.t.Context(), "Escape"))
	r.must("!document.querySelector('dialog')")
	return done
}

// checkDrain works from a node's own dialog, by keyboard.
func (r *reader) checkDrain() {
	r.do(r.page.Eval(r.t.Context(), "scrollTo(0, 0); document.querySelector('[data-node=node3]').focus()", nil))
	r.do(r.page.Press(r.t.Context(), "Enter"))
	r.click("dialog button", "Drain…")
	r.click("dialog button.primary", "Take reads from node3")
	r.must("document.querySelector('[data-node=node3] .marks')?.textContent.includes('drained')")
	r.click("dialog button", "Undrain…")
	r.click("dialog button.primary", "Give node3 reads again")
	// The event may come before the answer, with which the second dialog goes.
	r.must("document.querySelector('[data-node=node3]').dataset.condition === 'good' && document.querySelectorAll('dialog').length === 1")
	r.do(r.page.Press(r.t.Context(), "Escape"))
	r.must("!document.querySelector('dialog') && document.activeElement.dataset.node === 'node3'")
}

// checkLostConnection: the page says that it is of the past, allows nothing, and
// is live again by itself once it can be.
func (r *reader) checkLostConnection() {
	r.network.Cut()
	r.network.Reset()
	r.must("document.body.dataset.stale === 'true' && document.querySelector('#lost').checkVisibility() && document.querySelector('#link').textContent === 'Connection lost'")
	r.must("[...document.querySelectorAll('#orders button')].every((one) => one.disabled) && document.querySelector('#lost').textContent.includes('Connection to Bellwether lost at ')")
	r.switchOver(r.t, "node1")
	if !r.is("document.querySelector('.top [data-node=node2]')") {
		r.t.Error("the page knows what it cannot know")
	}
	r.network.Mend()
	r.must("document.body.dataset.stale === 'false' && document.querySelector('#lost').hidden && document.querySelector('.top [data-node=node1]')")
	r.must("document.querySelector('#incidents').textContent.includes('node2 → node1')")
}

// onlyNetwork reports whether all that went wrong is that the network was cut.
func (r *reader) onlyNetwork(wrong []string) bool {
	for _, one := range wrong {
		if !strings.Contains(one, "net::ERR_") {
			return false
		}
	}
	return true
}

// checkToken: where a token is wanted the page asks for it, and once is enough.
func (r *reader) checkToken() {
	text, err := os.ReadFile(r.house.config.Path())
	r.do(err)
	hash := sha256.Sum256([]byte("open sesame"))
	rewrite(r.t, r.house, strings.Replace(string(text), "open_loopback: true", "tokens: [{name: anna, role: read, hash: "+hex.EncodeToString(hash[:])+"}]", 1))
	r.do(r.house.reload())
	r.must("document.querySelector('dialog #token')")
	r.do(r.page.Type(r.t.Context(), "open sesame"))
	r.do(r.page.Press(r.t.Context(), "Enter"))
	r.must("!document.querySelector('dialog') && sessionStorage.length === 1")
	r.do(r.page.Eval(r.t.Context(), "location.reload()", nil))
	r.must("document.querySelector('#link').dataset.link === 'live' && document.querySelector('#forget').checkVisibility()")
	r.click("#orders button", "Reload…")
	r.must("document.querySelector('dialog .refused')?.textContent.includes('anna has read')")
	rewrite(r.t, r.house, string(text))
	r.do(r.house.reload())
}

// checkPhone: nothing is wider than a small phone, and the keyboard's first stop
// leads past the bar.
func (r *reader) checkPhone() {
	r.page = r.open(browser.Screen{Width: 360, Height: 740, Dark: true})
	r.must("document.querySelectorAll('.node').length === 3 && document.querySelector('#sessions td')")
	r.must("document.documentElement.scrollWidth === 360 && getComputedStyle(document.body).backgroundColor === 'rgb(15, 19, 23)'")
	r.do(r.page.Press(r.t.Context(), "Tab"))
	r.must("document.activeElement.className === 'skip'")
	r.do(r.page.Press(r.t.Context(), "Enter"))
	r.must("document.activeElement.id === 'picture-title'")
}

// startShop has some clients read and write until the test ends.
func startShop(t *testing.T, s *serving) {
	t.Helper()
	db := s.open(t)
	execAll(t, session(t, db), "CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, customer INT, price DECIMAL(10,2), KEY (customer))",
		"INSERT INTO shop.orders (customer, price) VALUES (1, 10), (2, 20), (3, 30)")
	ctx, stop := context.WithCancel(context.Background())
	var group errgroup.Group
	for customer := range map[bool]int{false: 2, true: 6}[os.Getenv("BELLWETHER_SCREENSHOTS") != ""] {
		group.Go(func() error {
			buy(ctx, db, customer)
			return nil
		})
	}
	t.Cleanup(func() { stop(); _ = group.Wait() })
}

// buy is one client; what goes wrong while masters change is another test's.
func buy(ctx context.Context, db *sql.DB, customer int) {
	for i := 0; ctx.Err() == nil; i++ {
		_, _ = db.ExecContext(ctx, fmt.Sprintf("SELECT id, price FROM shop.orders WHERE customer = %d ORDER BY id DESC LIMIT 10", customer))
		if i%3 == 0 {
			_, _ = db.ExecContext(ctx, fmt.Sprintf("SELECT COUNT(*), SUM(price) FROM shop.orders WHERE customer IN (%d, %d)", customer, i%7))
		}
		if i%8 == 0 {
			_, _ = db.ExecContext(ctx, fmt.Sprintf("INSERT INTO shop.orders (customer, price) VALUES (%d, %d.99)", customer, i%100))
		}
		sleep(ctx, 15*time.Millisecond)
	}
}

// takePictures writes what the README shows, where it is asked for.
func (r *reader) takePictures() {
	if os.Getenv("BELLWETHER_SCREENSHOTS") == "" {
		return
	}
	r.do(r.page.Eval(r.t.Context(), "document.activeElement.blur()", nil))
	sleep(r.t.Context(), time.Minute) // so that there is something to show
	r.picture("light")
	desk := r.page
	for name, screen := range map[string]browser.Screen{"dark": {Width: 1440, Height: 900, Dark: true}, "phone": {Width: 390, Height: 844}} {
		r.page = r.open(screen)
		r.must("document.querySelector('#sessions td') && document.querySelector('.uplot')")
		sleep(r.t.Context(), 2*time.Second)
		r.picture(name)
	}
	r.page = desk
}

// picture writes docs/img/dashboard-NAME.png, where that is asked for.
func (r *reader) picture(name string) {
	if os.Getenv("BELLWETHER_SCREENSHOTS") == "" {
		return
	}
	png, err := r.page.Screenshot(r.t.Context())
	r.do(err)
	folder := filepath.Join("..", "..", "docs", "img")
	r.do(os.MkdirAll(folder, 0o755))
	r.do(os.WriteFile(filepath.Join(folder, "dashboard-"+name+".png"), png, 0o644))
}
