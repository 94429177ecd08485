package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

type inputs struct{ Source, Flags string }

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestDoKeepsAProductByItsInputs(t *testing.T) {
	cache := Dir(filepath.Join(t.TempDir(), "cache"))
	runs := 0
	produce := func(dir string) error {
		runs++
		write(t, filepath.Join(dir, "product"), "made")
		return nil
	}
	first, hit, err := cache.Do(t.Context(), "build", inputs{"a", "-O2"}, produce)
	if err != nil || hit {
		t.Fatalf("first Do: hit %v, error %v; want a miss", hit, err)
	}
	again, hit, err := cache.Do(t.Context(), "build", inputs{"a", "-O2"}, produce)
	if err != nil || !hit || again != first {
		t.Errorf("second Do = %q, %v, %v; want %q, true, nil", again, hit, err, first)
	}
	other, hit, err := cache.Do(t.Context(), "build", inputs{"a", "-O3"}, produce)
	if err != nil || hit || other == first {
		t.Errorf("Do with other inputs = %q, %v, %v; want another directory, made now", other, hit, err)
	}
	if runs != 2 {
		t.Errorf("produce ran %d times, want 2", runs)
	}
}

func TestDoRemovesWhatAFailureLeft(t *testing.T) {
	cache := Dir(t.TempDir())
	broken := errors.New("broken")
	var made string
	_, _, err := cache.Do(t.Context(), "build", inputs{}, func(dir string) error {
		made = dir
		write(t, filepath.Join(dir, "half"), "")
		return broken
	})
	if err == nil {
		t.Fatal("Do returned no error")
	}
	if _, err := os.Stat(made); !os.IsNotExist(err) {
		t.Errorf("the failed product is still there: %v", err)
	}
}

func TestDoMakesAnewWhatAKilledRunLeft(t *testing.T) {
	cache := Dir(t.TempDir())
	dir, _, err := cache.locate("build", inputs{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "half"), "")
	_, hit, err := cache.Do(t.Context(), "build", inputs{}, func(dir string) error {
		if _, err := os.Stat(filepath.Join(dir, "half")); !os.IsNotExist(err) {
			t.Errorf("the directory is not empty: %v", err)
		}
		return nil
	})
	if err != nil || hit {
		t.Errorf("Do: hit %v, error %v; want a miss", hit, err)
	}
}

func TestDoMakesAProductOnce(t *testing.T) {
	cache := Dir(t.TempDir())
	var runs atomic.Int32
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			_, _, err := cache.Do(t.Context(), "build", inputs{}, func(string) error {
				runs.Add(1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if runs.Load() != 1 {
		t.Errorf("produce ran %d times, want once", runs.Load())
	}
}

func TestDoStopsWaitingWhenCancelled(t *testing.T) {
	cache := Dir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := cache.Do(t.Context(), "build", inputs{}, func(string) error {
		cancel()
		_, _, err := cache.Do(ctx, "build", inputs{}, func(string) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("waiting Do: %v, want %v", err, context.Canceled)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDiscard(t *testing.T) {
	cache := Dir(t.TempDir())
	produce := func(dir string) error { return os.WriteFile(filepath.Join(dir, "product"), nil, 0o644) }
	dir, _, err := cache.Do(t.Context(), "booted", inputs{}, produce)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // another run may have been faster
		if err := cache.Discard(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if _, hit, err := cache.Do(t.Context(), "booted", inputs{}, produce); err != nil || hit {
		t.Errorf("Do: hit %v, error %v; want a miss", hit, err)
	}
}
