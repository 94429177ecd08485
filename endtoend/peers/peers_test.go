package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kmodaudit/kmodaudit/measure"
)

func TestPage(t *testing.T) {
	sample := func(wall, cpu float64) measure.Sample {
		return measure.Sample{Wall: time.Duration(wall * float64(time.Second)), CPU: time.Duration(cpu * float64(time.Second))}
	}
	p := page{
		Machine: measure.Machine{CPU: "a processor", Cores: 2, Versions: []string{"qemu-system-x86_64 7.2"}}, Rounds: 2,
		Module: "zfs 2.1.11", Kernel: "6.1.0", Accel: "tcg",
		Empty:       []measure.Sample{sample(4, 4), sample(5, 5)},
		Guests:      []measure.Sample{sample(6, 8), sample(6, 8)},
		BootedFirst: []measure.Sample{sample(8, 12), sample(9, 14)},
	}
	text, err := p.markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"zfs 2.1.11 on Linux 6.1.0 under tcg, 2 rounds",
		"| QEMU | qemu-system-x86_64 7.2 |",
		"| guests | 1.35 (1.20 to 1.50) | 1.80 (1.60 to 2.00) | 1.5: met |",
		"| boot and guests | 1.90 (1.80 to 2.00) | 2.90 (2.80 to 3.00) | 1.5: missed |",
		"| empty init | 4.5 (4.0 to 5.0) s | 4.5 (4.0 to 5.0) s |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}

func TestParseOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                      "name the one of endToEnd by -cache",
		"-cache c -rounds 0":    "cannot run 0 rounds",
		"-cache c more":         `unexpected argument "more"`,
		"-cache c -rounds many": "invalid value",
	} {
		if _, err := parseOptions(strings.Fields(args), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", args, err, want)
		}
	}
	o, err := parseOptions(strings.Fields("-cache c -source s -kernel k -on d -o f -rounds 3"), io.Discard)
	if err != nil || o.config.Cache != "c" || o.config.Source != "s" || o.config.Release != "k" || o.config.Out != "d" || o.out != "f" || o.rounds != 3 {
		t.Errorf("%+v, %v", o, err)
	}
}
