package serialdaemon

// failed notes that a member stops because of an error.
func (g *Group) failed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stop == nil {
		g.reportLocked(nil)
	}
}

// reportClose tells the Wait that runs of a stop that is not its own.
func (g *Group) reportClose(s *stop) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting {
		g.reportLocked(s)
	}
}

// reportLocked tells Wait that there is nothing more to wait for: s is the stop that is going on. It is nil
// if a member has failed, or the last one ended by itself, of which a Wait that begins later learns, too.
func (g *Group) reportLocked(s *stop) {
	g.takeNewsLocked()
	g.newsLocked() <- s
}

// takeNewsLocked returns what was told last and was not taken.
func (g *Group) takeNewsLocked() (s *stop, ok bool) {
	select {
	case s = <-g.newsLocked():
		return s, true
	default:
		return nil, false
	}
}

func (g *Group) newsLocked() chan *stop {
	if g.news == nil {
		g.news = make(chan *stop, 1)
	}
	return g.news
}
