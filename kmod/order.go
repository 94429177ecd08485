package kmod

import (
	"fmt"
	"strings"
)

// Module is a module file and what it says of itself.
type Module struct {
	File string
	Info
}

// Resolver finds the module that a name stands for, from outside of the set
// that is to be loaded, such as the modules of the kernel's own package. It returns
// false when there is none.
type Resolver func(name string) (file string, ok bool)

// LoadOrder returns the modules of files, and those of resolve that they need,
// so that each comes after all that it depends on, and otherwise in the order given.
// A dependency that nothing provides and a cycle are errors. A nil resolve provides nothing.
func LoadOrder(files []string, resolve Resolver) ([]Module, error) {
	o := orderer{byName: map[string]Module{}, state: map[string]visit{}, resolve: resolve}
	var names []string
	for _, file := range files {
		info, err := ReadInfo(file)
		if err != nil {
			return nil, err
		}
		if other, twice := o.byName[info.Name]; twice {
			return nil, fmt.Errorf("ordering modules: %s and %s are both called %s; keep one of them", other.File, file, info.Name)
		}
		o.byName[info.Name] = Module{File: file, Info: info}
		names = append(names, info.Name)
	}
	for _, name := range names {
		if err := o.visit(name, nil); err != nil {
			return nil, err
		}
	}
	return o.order, nil
}

type visit int

const (
	unseen visit = iota
	open
	done
)

type orderer struct {
	byName  map[string]Module
	state   map[string]visit
	order   []Module
	resolve Resolver
}

func (o *orderer) visit(name string, path []string) error {
	path = append(path, name)
	switch o.state[name] {
	case done:
		return nil
	case open:
		return fmt.Errorf("ordering modules: they depend on each other: %s; rebuild them", strings.Join(path, " -> "))
	}
	o.state[name] = open
	module, err := o.module(name, path)
	if err != nil {
		return err
	}
	for _, dep := range module.Depends {
		if err := o.visit(dep, path); err != nil {
			return err
		}
	}
	o.state[name] = done
	o.order = append(o.order, module)
	return nil
}

func (o *orderer) module(name string, path []string) (Module, error) {
	if m, ok := o.byName[name]; ok {
		return m, nil
	}
	var file string
	var ok bool
	if o.resolve != nil {
		file, ok = o.resolve(name)
	}
	if !ok {
		return Module{}, fmt.Errorf("ordering modules: nothing provides %s (%s); build it too, or give the modules of the kernel's package", name, strings.Join(path, " -> "))
	}
	info, err := ReadInfo(file)
	return Module{File: file, Info: info}, err
}
