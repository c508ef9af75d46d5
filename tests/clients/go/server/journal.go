package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"lanekeeper/tests/clients/go/shared"
	"lanekeeper/tests/clients/protos/echo"

	"google.golang.org/grpc/metadata"
)

// journal remembers every call that carried a call-id.
type journal struct {
	mu      sync.Mutex
	entries map[string]*echo.JournalEntry
}

func newJournal() *journal {
	return &journal{entries: map[string]*echo.JournalEntry{}}
}

// record is one call's page; also handed out, but not kept, for a call without an id.
type record struct {
	journal *journal
	ctx     context.Context
	entry   *echo.JournalEntry
}

func (j *journal) open(ctx context.Context) *record {
	md, _ := metadata.FromIncomingContext(ctx)
	entry := &echo.JournalEntry{
		Server:     "go",
		Known:      true,
		Metadata:   shared.ToEntries(md),
		DeadlineMs: -1,
	}
	if deadline, ok := ctx.Deadline(); ok {
		entry.DeadlineMs = time.Until(deadline).Milliseconds()
	}
	if authority := md.Get(":authority"); len(authority) == 1 {
		entry.Authority = authority[0]
	}
	if id := md.Get("call-id"); len(id) == 1 {
		j.mu.Lock()
		defer j.mu.Unlock()
		entry.PreviousAttempts = append(j.entries[id[0]].GetPreviousAttempts(),
			strings.Join(md.Get("grpc-previous-rpc-attempts"), ","))
		j.entries[id[0]] = entry
	}
	return &record{journal: j, ctx: ctx, entry: entry}
}

func (j *journal) find(id string) *echo.JournalEntry {
	j.mu.Lock()
	defer j.mu.Unlock()
	if entry := j.entries[id]; entry != nil {
		copied := *entry
		return &copied
	}
	return &echo.JournalEntry{Server: "go"}
}

// attempts is how many calls have carried this one's id.
func (r *record) attempts() int {
	return len(r.entry.PreviousAttempts)
}

func (r *record) message() {
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	r.entry.Messages++
}

func (r *record) halfClose() {
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	r.entry.HalfClosed = true
}

// close must run before the handler returns: grpc-go cancels the context after that in any case.
func (r *record) close() {
	r.journal.mu.Lock()
	defer r.journal.mu.Unlock()
	r.entry.Ended = true
	r.entry.Cancelled = r.ctx.Err() != nil
}
