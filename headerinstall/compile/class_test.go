package compile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Output in the form of gcc 12.2's, and of clang's where a test says so.
func TestFirstError(t *testing.T) {
	tests := []struct {
		name, output string
		want         Diagnostic
		class        Class
	}{
		{"missing include", "In file included from /inc/sys/a.h:3,\n                 from <stdin>:1:\n" +
			"/inc/sys/b.h:100:10: fatal error: umem.h: No such file or directory\n  100 | #include <umem.h>\ncompilation terminated.\n",
			Diagnostic{File: "/inc/sys/b.h", Line: 100, Column: 10, Message: "fatal error: umem.h: No such file or directory"}, MissingInclude},
		{"missing include, clang", "In file included from <stdin>:1:\n/inc/a.h:1:10: fatal error: 'umem.h' file not found\n",
			Diagnostic{File: "/inc/a.h", Line: 1, Column: 10, Message: "fatal error: 'umem.h' file not found"}, MissingInclude},
		{"the header itself", "<stdin>:1:10: fatal error: a.h: No such file or directory\n",
			Diagnostic{File: "<stdin>", Line: 1, Column: 10, Message: "fatal error: a.h: No such file or directory"}, MissingInclude},
		{"type", "In file included from <stdin>:1:\n/inc/a.h:5: warning: unused\n/inc/a.h:87:9: error: unknown type name 'uint32_t'\n/inc/a.h:88:9: error: other\n",
			Diagnostic{File: "/inc/a.h", Line: 87, Column: 9, Message: "error: unknown type name 'uint32_t'"}, NotSelfContained},
		{"type, C++", "a:b.h:1:1: error: 'u8' does not name a type\n",
			Diagnostic{File: "a:b.h", Line: 1, Column: 1, Message: "error: 'u8' does not name a type"}, NotSelfContained},
		{"function", "/inc/a.h:2:9: error: implicit declaration of function 'f' [-Werror=implicit-function-declaration]\n",
			Diagnostic{File: "/inc/a.h", Line: 2, Column: 9, Message: "error: implicit declaration of function 'f' [-Werror=implicit-function-declaration]"}, NotSelfContained},
		{"member", "a.h:2:9: error: expected specifier-qualifier-list before 'uint32_t'\n",
			Diagnostic{File: "a.h", Line: 2, Column: 9, Message: "error: expected specifier-qualifier-list before 'uint32_t'"}, NotSelfContained},
		{"parameter, C++", "a.h:51:6: error: variable or field 'f' declared void\n",
			Diagnostic{File: "a.h", Line: 51, Column: 6, Message: "error: variable or field 'f' declared void"}, NotSelfContained},
		{"second inclusion", "In file included from <stdin>:2:\n/inc/a.h:1:8: error: redefinition of 'struct a'\n",
			Diagnostic{File: "/inc/a.h", Line: 1, Column: 8, Message: "error: redefinition of 'struct a'", Again: true}, Conflicting},
		{"second inclusion, in other words", "In file included from /inc/b.h:1,\n                 from <stdin>:2:\n/inc/a.h:1:8: error: #error again\n",
			Diagnostic{File: "/inc/a.h", Line: 1, Column: 8, Message: "error: #error again", Again: true}, Conflicting},
		{"after a warning of the second inclusion", "In file included from <stdin>:2:\n/inc/a.h:1:8: warning: w\nIn file included from <stdin>:1:\n/inc/a.h:2:1: error: #error first\n",
			Diagnostic{File: "/inc/a.h", Line: 2, Column: 1, Message: "error: #error first"}, Other},
		{"between headers", "In file included from <stdin>:1:\n/inc/a.h:1:5: error: conflicting types for 'f'; have 'int(int)'\n",
			Diagnostic{File: "/inc/a.h", Line: 1, Column: 5, Message: "error: conflicting types for 'f'; have 'int(int)'"}, Conflicting},
		{"no column", "/inc/a.h:75: error: #error \"Unsupported kernel\"\n",
			Diagnostic{File: "/inc/a.h", Line: 75, Message: "error: #error \"Unsupported kernel\""}, Other},
		{"the compiler's own", "cc1: error: bad value 'x' for '-mtune=' switch\n", Diagnostic{Message: "cc1: error: bad value 'x' for '-mtune=' switch"}, Other},
		{"no error", "\n  Segmentation fault\n", Diagnostic{Message: "Segmentation fault"}, Other},
		{"nothing", "", Diagnostic{Message: "the compiler failed and printed nothing"}, Other},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := firstError([]byte(test.output))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("diagnostic (-want +got):\n%s", diff)
			}
			if got.class() != test.class {
				t.Errorf("class %s, want %s", got.class(), test.class)
			}
			if got.File != "" && !strings.Contains(test.output, got.String()) {
				t.Errorf("printed as %q", got)
			}
		})
	}
}
