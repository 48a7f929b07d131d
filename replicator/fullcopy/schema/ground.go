package schema

import (
	"context"
	"fmt"
	"strings"
)

// ground is what tables of MySQL stand on and no database holds: general
// tablespaces, and spatial reference systems that did not come with the server.
var ground = []struct {
	kind   Kind
	list   string
	create func(row map[string]string) string
}{
	{KindTablespace, `SELECT t.NAME AS name, t.ZIP_PAGE_SIZE AS zip, t.ENCRYPTION AS encryption, f.FILE_NAME AS file
		FROM information_schema.INNODB_TABLESPACES t JOIN information_schema.FILES f ON f.TABLESPACE_NAME = t.NAME
		WHERE t.SPACE_TYPE = 'General' AND t.NAME NOT LIKE 'innodb\_%' AND t.NAME <> 'mysql' ORDER BY 1`, createTablespace},
	{KindReferenceSystem, `SELECT SRS_ID AS name, SRS_NAME AS title, ORGANIZATION AS organization, ORGANIZATION_COORDSYS_ID AS id, DEFINITION AS text, DESCRIPTION AS description
		FROM information_schema.ST_SPATIAL_REFERENCE_SYSTEMS WHERE SRS_ID > 0 AND NOT (ORGANIZATION <=> 'EPSG' AND ORGANIZATION_COORDSYS_ID <=> SRS_ID) ORDER BY 1`, createReferenceSystem},
}

func createTablespace(row map[string]string) string {
	text := "CREATE TABLESPACE " + Quote(row["name"]) + " ADD DATAFILE " + Literal(strings.TrimPrefix(row["file"], "./"))
	if row["zip"] != "0" {
		text += " FILE_BLOCK_SIZE = " + row["zip"]
	}
	if row["encryption"] == "Y" {
		text += " ENCRYPTION = 'Y'"
	}
	return text
}

func createReferenceSystem(row map[string]string) string {
	text := fmt.Sprintf("CREATE SPATIAL REFERENCE SYSTEM %s NAME %s DEFINITION %s", row["name"], Literal(row["title"]), Literal(row["text"]))
	if row["organization"] != "" {
		text += " ORGANIZATION " + Literal(row["organization"]) + " IDENTIFIED BY " + row["id"]
	}
	if row["description"] != "" {
		text += " DESCRIPTION " + Literal(row["description"])
	}
	return text
}

// Ground reads what the tables of a MySQL from 8.0 on stand on; of others, nothing.
func Ground(ctx context.Context, c *Conn) (out []Definition, err error) {
	if c.Dialect.MariaDB() || c.Dialect.Version()[0] < 8 {
		return nil, nil
	}
	for _, g := range ground {
		rows, err := c.Rows(ctx, g.list)
		if err != nil {
			return nil, fmt.Errorf("read what tables stand on: %w", err)
		}
		for _, row := range rows {
			out = append(out, Definition{Kind: g.kind, Schema: row["name"], SQL: g.create(row)})
		}
	}
	return out, nil
}
