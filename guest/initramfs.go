package guest

import (
	"bytes"
	"errors"
	"os"

	"github.com/cavaliergopher/cpio"

	"github.com/kmodaudit/kmodaudit/guest/wire"
)

// initramfs returns a cpio archive in the newc format with the init alone, which the kernel unpacks
// into its root file system (Documentation/driver-api/early-userspace/buffer-format.rst).
func initramfs(initFile string) ([]byte, error) {
	content, err := os.ReadFile(initFile)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	a := cpio.NewWriter(&b)
	err = a.WriteHeader(&cpio.Header{Name: wire.InitPath, Mode: cpio.TypeReg | 0o755, Size: int64(len(content))})
	if err == nil {
		_, err = a.Write(content)
	}
	err = errors.Join(err, a.Close())
	return b.Bytes(), err
}
