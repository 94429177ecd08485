package targets

import (
	"cmp"
	"context"
	"os"

	"github.com/magefile/mage/mg"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
)

// Headers are the targets of a module's headers, as [headers] of kmodaudit.toml or one of its profiles has them.
type Headers mg.Namespace

// Install installs the module's headers below DESTDIR (or -destdir=DIR); -profile=NAME, -prefix=PATH, -manifest=FILE, -config=FILE.
func (Headers) Install(ctx context.Context, config, profile, destdir, prefix, manifest *string) error {
	return cli.HeadersInstall(ctx, output(), cli.HeadersFlags{HeaderTree: headerTree(config, profile, destdir, prefix, manifest)})
}

// Check checks the module's headers below DESTDIR (or -destdir=DIR): none forgotten, no rule unused, installed as recorded and as the sources are, no include that leads nowhere; -profile=NAME, -prefix=PATH, -manifest=FILE, -config=FILE.
func (Headers) Check(ctx context.Context, config, profile, destdir, prefix, manifest *string) error {
	return cli.HeadersCheck(ctx, output(), headerTree(config, profile, destdir, prefix, manifest))
}

func headerTree(config, profile, destdir, prefix, manifest *string) cli.HeaderTree {
	return cli.HeaderTree{
		Project: true, Config: value(config), Profile: value(profile),
		DestDir: cmp.Or(value(destdir), os.Getenv("DESTDIR")), Prefix: value(prefix), Manifest: value(manifest),
	}
}

func output() cli.Output { return cli.Output{Stdout: os.Stdout, Stderr: os.Stderr} }
