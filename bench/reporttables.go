package main

import "strings"

// column is one figure of a table.
type column struct {
	heading string
	figure  string // its name in values
	unit    unit
	ratio   bool // with a column of ratios
}

// table writes a table of a scene: a row for each peer.
func (d *document) table(s scene, columns ...column) {
	cells := make(map[string][]string)
	headings := []string{"| "}
	for _, c := range columns {
		headings = append(headings, c.title())
		if c.ratio {
			headings = append(headings, "×")
		}
		found := make(map[string]summary)
		for _, sum := range summarize(d.run.Records, s, c.figure) {
			found[sum.Peer] = sum
		}
		for _, l := range peers {
			cells[l.name] = append(cells[l.name], c.cells(found[l.name])...)
		}
	}
	d.printf("**%s**\n\n%s |\n|%s\n", capital(s.String()), strings.Join(headings, " | "),
		" --- |"+strings.Repeat(" ---: |", len(headings)-1))
	for _, l := range peers {
		if row := strings.Join(cells[l.name], " | "); strings.Trim(row, "| –") != "" {
			d.printf("| %s | %s |\n", emphasis(l.name), row)
		}
	}
	d.printf("\n")
}

func (c column) title() string {
	if c.unit.name == "" {
		return c.heading
	}
	return c.heading + ", " + c.unit.name
}

// cells returns one peer's cells of the column.
func (c column) cells(s summary) []string {
	cells := []string{rangeCell(s.Value, c.unit)}
	if c.ratio {
		cells = append(cells, rangeCell(s.Ratio, count))
	}
	return cells
}

// rangeCell returns "median (min–max)", or a dash if there is no figure.
func rangeCell(s spread, u unit) string {
	switch s.N {
	case 0:
		return "–"
	case 1:
		return "**" + u.show(s.Median) + "**"
	}
	return "**" + u.show(s.Median) + "** (" + u.show(s.Min) + "–" + u.show(s.Max) + ")"
}

func emphasis(peer string) string {
	if peer == serialkitName {
		return "**" + peer + "**"
	}
	return peer
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
