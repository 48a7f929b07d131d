package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/bellwether-db/bellwether/admin"
	"github.com/bellwether-db/bellwether/admin/contract"
	"github.com/bellwether-db/bellwether/internal/playground"
)

// get calls with parameters in the query.
func (s *serving) get(t *testing.T, path string, parameters ...string) (status int, body string) {
	t.Helper()
	query := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	status, body, err := s.call(t.Context(), http.MethodGet, path+"?"+query.Encode(), "")
	if err != nil {
		t.Fatal(err)
	}
	return status, body
}

// post calls with a body of JSON.
func (s *serving) post(t *testing.T, path, body string) (status int, answer string) {
	t.Helper()
	status, answer, err := s.call(t.Context(), http.MethodPost, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return status, answer
}

func (s *serving) call(ctx context.Context, method, target, body string) (status int, answer string, err error) {
	return s.callAt(ctx, s.house.admin.Addr().String(), method, target, body)
}

// callAt calls an address, host:port.
func (s *serving) callAt(ctx context.Context, addr, method, target, body string) (status int, answer string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+addr+target, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil {
		err = documented.Check(method, response.Request.URL.Path, response.StatusCode, response.Header, text)
	}
	return response.StatusCode, strings.TrimSuffix(string(text), "\n"), err
}

// documented holds every answer of these tests against the OpenAPI document.
var documented = func() *contract.Contract {
	c, err := contract.New(admin.OpenAPI())
	if err != nil {
		panic(err) // the tests of a document that is none are worth nothing
	}
	return c
}()

// want200 fails where a call does not say that it is done.
func want200(t *testing.T, status int, body string) {
	t.Helper()
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
}

// checkTypes: what goes in as JSON comes out as it was, of every type, from
// both ways that rows are read.
func (s *serving) checkTypes(t *testing.T, flavour playground.Flavour) {
	status, body := s.post(t, "/createtable", `{"dbname":"testdb","table":"every","columns":[{"name":"k","type":"INT","primary_key":true,"null":false},
		"big BIGINT UNSIGNED", "d DECIMAL(40,10)", "f FLOAT", "g DOUBLE", "z INT(8) UNSIGNED ZEROFILL", "b BIT(12)", "y YEAR", "bin VARBINARY(20)", "bl LONGBLOB", "dt DATETIME(6)",
		"ts TIMESTAMP(3) NULL", "ti TIME(2)", "da DATE", "e ENUM('x','y')", "s SET('p','q')", "c CHAR(5)", "t LONGTEXT", "j JSON"]}`)
	want200(t, status, body)
	row := `{"k":1,"big":18446744073709551615,"d":-123456789012345678901234567890.0123456789,"f":1.5,"g":-2.5e-300,"z":42,"b":2748,"y":2026,"bin":{"base64":"AP8="},` +
		`"bl":{"base64":"AAECAwQ="},"dt":"2026-11-23 10:11:12.123456","ts":"2026-11-23 10:11:12.123","ti":"-838:59:58.99","da":"0001-02-03","e":"y","s":"p,q","c":"ü🔔","t":"a\"\\\n\u0001'","j":{"a": [1, 2.5, null]}}`
	status, body = s.post(t, "/insert", `{"dbname":"testdb","table":"every","row":`+row+`}`)
	want200(t, status, body)
	status, body = s.post(t, "/insert", `{"dbname":"testdb","table":"every","values":"2`+strings.Repeat(", NULL", 18)+`"}`)
	want200(t, status, body)
	want := row
	if flavour == playground.MariaDB { // where JSON is text
		want = strings.Replace(row, `"j":{"a": [1, 2.5, null]}`, `"j":"{\"a\": [1, 2.5, null]}"`, 1)
	}
	status, body = s.get(t, "/select", "dbname", "testdb", "table", "every", "where", "k = 1")
	if status != 200 || body != "["+want+"]" {
		t.Errorf("as text: %d\n%s\nwant\n%s", status, body, want)
	}
	status, body = s.post(t, "/select", `{"dbname":"testdb","table":"every","where":{"e":"y","big":18446744073709551615}}`)
	if status != 200 || body != "["+want+"]" {
		t.Errorf("bound: %d\n%s\nwant\n%s", status, body, want)
	}
	status, body = s.get(t, "/select", "dbname", "testdb", "table", "every", "where", "k = 2")
	var nulls []map[string]any
	if err := json.Unmarshal([]byte(body), &nulls); err != nil || status != 200 || len(nulls) != 1 || len(nulls[0]) != 19 {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	for name, value := range nulls[0] {
		if value != nil && name != "k" {
			t.Errorf("%s is %v, want null", name, value)
		}
	}
}

// checkAnswers: what is refused says why, and the rest of the calls.
func (s *serving) checkAnswers(t *testing.T) {
	const users = `"dbname":"testdb","table":"users"`
	if err := s.servers.Master.Exec(t.Context(), "CREATE VIEW testdb.wrong AS SELECT EXP(1000 + 0 * COALESCE(age, 0)) AS word FROM testdb.users"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/altertable", `{` + users + `,"change":"ADD COLUMN city VARCHAR(30) CHECK (city <> ''), ADD UNIQUE KEY mail (email)"}`, 200, "ok"},
		{"/alterdb", `{"name":"testdb","charset":"utf8mb4","collation":"utf8mb4_bin"}`, 200, "ok"},
		{"/insert", `{` + users + `,"rows":[{"name":"A","email":"a@x","age":1},{"name":"B%","email":"b@x","age":2}]}`, 200, `"affectedRows":2`},
		{"/insert", `{` + users + `,"columns":["name","email"],"values":"'C', CONCAT('c', '@x')"}`, 200, `"affectedRows":1`},
		{"/insert", `{` + users + `,"row":{"email":"a@x"}}`, 409, `"code":1062`},
		{"/insert", `{` + users + `,"row":{"city":""}}`, 400, "problem:statement"},
		{"/insert", `{` + users + `,"row":{"nope":1}}`, 400, `"code":1054`},
		{"/insert", `{` + users + `,"row":{"age":"many"}}`, 400, "problem:statement"},
		{"/insert", `{` + users + `,"values":"1, (SELECT 1)"}`, 400, "subquery"},
		{"/insert", `{` + users + `,"value":"1"}`, 400, "unknown field"},
		{"/insert", `{` + users + `,"row":{"age":1,"name":"x","age":2}}`, 400, "named twice"},
		{"/insert", `{` + users, 400, "problem:refused"},
		{"/update", `{` + users + `,"set":{"age":5}}`, 400, "where: is missing"},
		{"/update", `{` + users + `,"set":{"age":5},"where":{"name":["A","C"]}}`, 200, `"affectedRows":2`},
		{"/select", `{` + users + `,"columns":["name","age"],"order":"name DESC","limit":2,"offset":1}`, 200, `[{"name":"B%","age":2},` + "\n" + `{"name":"A","age":5}]`},
		{"/select", `{` + users + `,"limit":0}`, 200, `[]`},
		{"/select", `{` + users + `,"columns":"COUNT(*)"}`, 200, `[{"COUNT(*)":3}]`},
		{"/select", `{"dbname":"testdb","table":"none"}`, 404, `"code":1146`},
		{"/select", `{"dbname":"none","table":"none"}`, 404, "problem:not-found"},
		{"/createdb", `{"name":"testdb"}`, 409, `"code":1007`},
		{"/dropdb", `{"name":"none"}`, 404, `"code":1008`},
		{"/alterdb", `{"name":"none","charset":"utf8mb4"}`, 404, "problem:not-found"},
		{"/dropdb", `{"name":"mysql"}`, 400, "out of reach"},
		{"/search", `{"dbname":"testdb","table":"users","column":"name","value":"B%"}`, 200, `"name":"B%"`},
		{"/search", `{"value":"c@X"}`, 200, `"complete":true`},
		{"/search", `{"value":"c@X"}`, 200, `"skipped":[{"dbname":"testdb","table":"wrong"`},
		{"/search", `{"dbname":"testdb","table":"users","value":"x","limit":1}`, 200, `"complete":false,"stopped":{"dbname":"testdb","table":"users","because":"1 rows were found"}`},
		{"/search", `{"dbname":"testdb","table":"users","column":"age","value":"5","match":"exact","limit":9}`, 200, `"tables":1`},
		{"/search", `{"dbname":"testdb","table":"none","value":"x"}`, 404, "problem:not-found"},
		{"/search", `{"dbname":"none","value":"x"}`, 404, "problem:not-found"},
		{"/search", `{"value":"x","limit":-1}`, 400, "whole numbers from 0 on"},
		{"/delete", `{` + users + `,"where":{"age":{">=":2,"<":9}}}`, 200, `"affectedRows":3`},
		{"/nodes", "", 200, `"isMaster":true`},
		{"/ping", "", 405, "problem:method"},
	} {
		status, body := s.post(t, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s, want %d with %s", c.path, c.body, status, body, c.status, c.want)
		}
	}
}

// checkMany: callers at the same moment, each of whose rows is there once.
func (s *serving) checkMany(t *testing.T) {
	const callers, each = 8, 25
	group, ctx := errgroup.WithContext(t.Context())
	for caller := range callers {
		group.Go(func() error {
			for i := range each {
				body := fmt.Sprintf(`{"dbname":"testdb","table":"users","row":{"name":"%d","age":%d}}`, caller, i)
				status, answer, err := s.call(ctx, http.MethodPost, "/insert", body)
				if err != nil || status != http.StatusOK {
					return fmt.Errorf("insert: %d %s: %w", status, answer, err)
				}
				where := fmt.Sprintf(`{"dbname":"testdb","table":"users","columns":"COUNT(*) AS n","where":"name = '%d'"}`, caller)
				if _, answer, err = s.call(ctx, http.MethodPost, "/select", where); err != nil || answer != fmt.Sprintf(`[{"n":%d}]`, i+1) {
					return fmt.Errorf("after %d inserts: %s, %w", i+1, answer, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	s.waitEverywhere(t, "SELECT COUNT(*) - COUNT(DISTINCT name, age) + COUNT(*) FROM testdb.users", fmt.Sprint(callers*each))
}

// checkBrokenOff: an error that comes with a late row cannot change the status;
// the answer has no end then, and no client takes it for whole.
func (s *serving) checkBrokenOff(t *testing.T) {
	status, body := s.post(t, "/createtable", `{"dbname":"testdb","table":"many","columns":{"word":"VARCHAR(20)"}}`)
	want200(t, status, body)
	rows := strings.TrimSuffix(strings.Repeat(`{"word":"a word"},`, 1000), ",")
	for range 5 {
		status, body = s.post(t, "/insert", `{"dbname":"testdb","table":"many","rows":[`+rows+`]}`)
		want200(t, status, body)
	}
	query := url.Values{"dbname": {"testdb"}, "table": {"many"}, "order": {"Id"}, "columns": {"Id, word, EXP(IF(Id = 4900, 1000, 1))"}}
	status, body, err := s.call(t.Context(), http.MethodGet, "/select?"+query.Encode(), "")
	if status != http.StatusOK || !errors.Is(err, io.ErrUnexpectedEOF) || json.Valid([]byte(body)) {
		t.Errorf("%d, %d bytes, %v", status, len(body), err)
	}
	query.Set("where", "Id = 4900")
	status, body, err = s.call(t.Context(), http.MethodGet, "/select?"+query.Encode(), "")
	if status != http.StatusBadRequest || !strings.Contains(body, `"code":1690`) || err != nil {
		t.Errorf("%d %s, %v", status, body, err)
	}
}
