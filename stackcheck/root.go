package stackcheck

import (
	"path"
	"strings"
)

// inferRoot returns the directory that the compiler saw where the build now lies. A .su file says where it lies by its own
// path, and where its source lay by its rows: module/zfs/arc.su with rows of /usr/src/zfs/module/zfs/arc.c tells
// /usr/src/zfs. Rows also name headers and included files, so that the objects vote; of a tie the first by name wins.
func inferRoot(objects []compiled) string {
	votes := make(map[string]int)
	for _, o := range objects {
		if o.votes {
			votes[o.root]++
		}
	}
	winner, most := "", 0
	for root, n := range votes {
		if n > most || n == most && root < winner {
			winner, most = root, n
		}
	}
	return winner
}

// vote returns the root that the frames of an object tell, if they do.
func (o *compiled) vote() (root string, ok bool) {
	stem := strings.TrimSuffix(o.name, ".o")
	last := ""
	for _, f := range o.frames {
		if f.File == last {
			continue
		}
		last = f.File
		source := path.Clean(f.File)
		source = strings.TrimSuffix(source, path.Ext(source))
		if source == stem {
			return "", true
		}
		if root, ok := strings.CutSuffix(source, "/"+stem); ok {
			return root, true
		}
	}
	return "", false
}

// relativeTo returns a function that makes a file's name relative to root if it lies below, and removes "x/.." from it.
// It expects few different names, and cleans each once.
func relativeTo(root string) func(string) string {
	known := map[string]string{"": ""}
	return func(file string) string {
		short, ok := known[file]
		if !ok {
			short = path.Clean(file)
			if root != "" {
				short = strings.TrimPrefix(short, root+"/")
			}
			known[file] = short
		}
		return short
	}
}
