package main

import (
	"context"
	"runtime"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// page is a part of a recording and what is printed of it.
type page struct {
	part zevent.RecordingPart
	text []byte
	bad  []badEvent
	done chan struct{} // receives when text is whole
}

// badEvent is an event that cannot be read, and where in the text it is said.
type badEvent struct {
	at  int
	err error
}

// printPages prints a recording in its order. One goroutine reads, one for each
// processor turns events into text, and this one writes. Memory is that of the pages,
// which are few and used again.
func (p *printer) printPages(ctx context.Context, r *zevent.RecordingReader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	pages := workers + 2 // one is read, one is written
	// Every channel has room for all pages, so that only a receiver waits.
	empty, full, inOrder := make(chan *page, pages), make(chan *page, pages), make(chan *page, pages)
	for range pages {
		empty <- &page{done: make(chan struct{}, 1)}
	}
	var stopped error
	go func() {
		defer close(full)
		defer close(inOrder)
		stopped = readPages(ctx, r, empty, full, inOrder)
	}()
	for range workers {
		go func() {
			for g := range full {
				p.fill(g)
				g.done <- struct{}{}
			}
		}()
	}
	for {
		g, err := p.nextPage(inOrder)
		switch {
		case err != nil:
			return err
		case g == nil:
			return stopped
		}
		<-g.done
		if err := p.writePage(g); err != nil {
			return err
		}
		empty <- g
	}
}

// nextPage waits for a page, and meanwhile lets nothing wait that is printed: the
// recording may be a pipe that is written now and then. It is nil at the end.
func (p *printer) nextPage(inOrder <-chan *page) (*page, error) {
	select {
	case g := <-inOrder:
		return g, nil
	default:
	}
	if err := p.out.Flush(); err != nil {
		return nil, err
	}
	return <-inOrder, nil
}

func readPages(ctx context.Context, r *zevent.RecordingReader, empty <-chan *page, full, inOrder chan<- *page) error {
	for {
		select {
		case <-ctx.Done():
			return errInterrupted
		case g := <-empty:
			if ctx.Err() != nil {
				return errInterrupted
			}
			if !r.ScanPart(&g.part) {
				return r.Err()
			}
			full <- g
			inOrder <- g
		}
	}
}

// fill makes the text of a page.
func (p *printer) fill(g *page) {
	g.text, g.bad = g.text[:0], g.bad[:0]
	for g.part.Scan() {
		v, err := g.part.View()
		if err != nil {
			g.text = p.format.AppendDropped(g.text, v.Dropped)
			g.bad = append(g.bad, badEvent{len(g.text), err})
			continue
		}
		g.text = p.append(g.text, v)
	}
}

func (p *printer) writePage(g *page) error {
	start := 0
	for _, bad := range g.bad {
		if _, err := p.out.Write(g.text[start:bad.at]); err != nil {
			return err
		}
		if err := p.report(bad.err); err != nil {
			return err
		}
		start = bad.at
	}
	_, err := p.out.Write(g.text[start:])
	return err
}
