package main

import "strconv"

// The measures of a bar chart, in pixels.
const (
	chartWidth = 860.0
	barLeft    = 190.0 // room for the names
	barRight   = 210.0 // room for the values
	barTop     = 50.0  // room for the title
	barStep    = 30.0
	barHeight  = 18.0
	axisRoom   = 50.0
)

// barChart draws a bar for each peer, with a whisker from the lowest to the highest round. An
// arrow at its end says that it goes on.
func barChart(title string, u unit, sums []summary) string {
	marks := ticks(longest(sums) / u.scale)
	bottom := barTop + barStep*float64(len(sums))
	d := &drawing{width: chartWidth, height: bottom + axisRoom}
	perUnit := (chartWidth - barLeft - barRight) / marks[len(marks)-1]
	d.text(16, 28, "start", ink, 17, true, title)
	for _, m := range marks {
		x := barLeft + m*perUnit
		d.line(x, barTop, x, bottom, grid, 1)
		d.text(x, bottom+18, "middle", faint, 12, false, digits(m))
	}
	d.text(barLeft+(chartWidth-barLeft-barRight)/2, bottom+38, "middle", faint, 13, false, u.name)
	for i, s := range sums {
		d.bar(barTop+barStep*float64(i)+barStep/2, perUnit, u, s)
	}
	return d.String()
}

// longest returns how far the axis has to go. A whisker that is far longer than all bars is cut.
func longest(sums []summary) float64 {
	var median, whisker float64
	for _, s := range sums {
		median, whisker = max(median, s.Value.Median), max(whisker, s.Value.Max)
	}
	return min(whisker, 1.4*median)
}

// bar draws a peer's bar around the height y.
func (d *drawing) bar(y, perUnit float64, u unit, s summary) {
	bold := s.Peer == serialkitName
	d.text(barLeft-10, y+5, "end", ink, 14, bold, s.Peer)
	value, low, high := s.Value.Median/u.scale, s.Value.Min/u.scale, s.Value.Max/u.scale
	d.printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`,
		barLeft, y-barHeight/2, max(value*perUnit, 0.5), barHeight, colours[s.Peer])
	from, to := barLeft+low*perUnit, barLeft+high*perUnit
	if edge := chartWidth - barRight; to > edge {
		to = edge
		d.printf(`<path d="M%.1f %.1f l-8 -4 v8 z" fill="%s"/>`, to, y, ink)
	} else {
		d.line(to, y-4, to, y+4, ink, 1.2)
	}
	d.line(from, y, to, y, ink, 1.2)
	d.line(from, y-4, from, y+4, ink, 1.2)
	label := u.show(s.Value.Median)
	if s.Ratio.N > 0 && s.Peer != bareName {
		label += "  (× " + strconv.FormatFloat(s.Ratio.Median, 'f', 2, 64) + " of bare)"
	}
	d.text(to+8, y+5, "start", ink, 13, bold, label)
}
