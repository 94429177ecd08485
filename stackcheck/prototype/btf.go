package prototype

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cilium/ebpf/btf"

	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Kernel is the types of a kernel, on which those of its modules build.
type Kernel struct{ spec *btf.Spec }

// ErrKernelTypes is the error of a module whose types are on top of those of its kernel, which are not at hand.
var ErrKernelTypes = errors.New("its types (BTF) build on those of its kernel; give the kernel's vmlinux")

// ReadKernel reads BTF: the content of a section .BTF, or of /sys/kernel/btf/vmlinux.
func ReadKernel(data []byte) (*Kernel, error) {
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the kernel's types (BTF): %w", err)
	}
	return &Kernel{spec}, nil
}

// ReadKernelOf reads the BTF of a vmlinux; nil if it has none.
func ReadKernelOf(f *object.File) (*Kernel, error) {
	data, err := section(f, ".BTF")
	if data == nil || err != nil {
		return nil, err
	}
	return ReadKernel(data)
}

func section(f *object.File, name string) ([]byte, error) {
	for _, s := range f.Find(name) {
		return f.Data(s)
	}
	return nil, nil
}

// readBTF collects what an object's BTF declares; ErrNone if there is none.
func (s *scope) readBTF(kernel *Kernel) error {
	data, err := section(s.file, ".BTF")
	if err != nil {
		return err
	}
	if data == nil {
		return ErrNone
	}
	b := btfTypes{known: make(map[btf.Type]*ctype)}
	isModule := len(s.file.Find(".gnu.linkonce.this_module")) > 0
	var spec *btf.Spec
	switch {
	case !isModule:
		spec, err = btf.LoadSpecFromReader(bytes.NewReader(data))
	case kernel == nil:
		return ErrKernelTypes
	default:
		b.functions(s, kernel.spec)
		spec, err = btf.LoadSplitSpecFromReader(bytes.NewReader(data), kernel.spec)
	}
	if err == nil {
		err = b.functions(s, spec)
	}
	if err != nil {
		return fmt.Errorf("%s: reading types (BTF): %w; give the very kernel that the module was built for", s.file.Name, err)
	}
	s.place()
	return nil
}

// place gives the object's functions the types that their names have. Of a name that several have, with different types, none is known.
func (s *scope) place() {
	for i := range s.file.Functions() {
		fn := &s.file.Functions()[i]
		if t := s.named[fn.Symbol]; t != nil {
			s.declared.functions[framemap.AddressOf(s.file, fn.Start)] = t
		}
	}
}

// btfTypes makes types of BTF's.
type btfTypes struct{ known map[btf.Type]*ctype }

func (b *btfTypes) functions(s *scope, spec *btf.Spec) error {
	for t, err := range spec.All() {
		if err != nil {
			return err
		}
		if fn, ok := t.(*btf.Func); ok {
			if of := b.typeOf(fn.Type, 0); of != nil && of.kind == function {
				add(s.named, fn.Name, of)
			}
		}
	}
	return nil
}

// typeOf is a type without typedefs and qualifiers; nil for void.
func (b *btfTypes) typeOf(of btf.Type, depth int) *ctype {
	if known, ok := b.known[of]; ok {
		return known
	}
	if depth == mostNested {
		return nil
	}
	var t *ctype
	switch of := of.(type) {
	case *btf.Typedef:
		t = b.typeOf(of.Type, depth+1)
	case *btf.Const:
		t = b.typeOf(of.Type, depth+1)
	case *btf.Volatile:
		t = b.typeOf(of.Type, depth+1)
	case *btf.Restrict:
		t = b.typeOf(of.Type, depth+1)
	case *btf.TypeTag:
		t = b.typeOf(of.Type, depth+1)
	case *btf.Pointer:
		t = pointerTo(nil)
		t.expand = func(t *ctype) { t.elem = b.typeOf(of.Target, 0) }
	case *btf.Struct:
		t = recordOf("struct", of.Name, int64(of.Size))
		t.expand = func(t *ctype) { t.members = b.members(of.Members) }
	case *btf.Union:
		t = recordOf("union", of.Name, int64(of.Size))
		t.expand = func(t *ctype) { t.members = b.members(of.Members) }
	case *btf.Fwd:
		t = recordOf(of.Kind.String(), of.Name, 0)
	case *btf.Array:
		t = &ctype{kind: array, count: int64(min(of.Nelems, mostElements)), elem: b.typeOf(of.Type, depth+1)}
		if t.elem != nil {
			t.size = t.count * t.elem.size
		}
	case *btf.Int:
		t = numberOf(int64(of.Size), of.Encoding == btf.Signed)
		if of.Encoding == btf.Bool {
			t.name = "bool"
		}
	case *btf.Enum:
		t = numberOf(int64(of.Size), false)
	case *btf.FuncProto:
		t = b.functionOf(of)
	case *btf.Void:
	default:
		t = &ctype{name: of.TypeName()}
	}
	b.known[of] = t
	return t
}

func (b *btfTypes) functionOf(of *btf.FuncProto) *ctype {
	return &ctype{kind: function, expand: func(t *ctype) {
		t.elem = b.typeOf(of.Return, 0)
		for _, p := range of.Params[:min(len(of.Params), mostParameters)] {
			if _, isLast := p.Type.(*btf.Void); isLast { // an ellipsis
				t.variadic = true
				continue
			}
			t.members = append(t.members, member{typ: orVoid(b.typeOf(p.Type, 0))})
		}
	}}
}

func (b *btfTypes) members(all []btf.Member) (members []member) {
	for _, m := range all {
		if t := b.typeOf(m.Type, 0); t != nil && m.BitfieldSize == 0 {
			members = append(members, member{int64(m.Offset.Bytes()), t})
		}
	}
	return members
}
