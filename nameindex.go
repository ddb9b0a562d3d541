package rolecall

// A nameIndex finds the number of a permission by its hash: open addressing, at most half full.
type nameIndex struct {
	slots []nameSlot
	mask  uint32
}

type nameSlot struct {
	hash   uint32
	number int32 // -1 where the slot is free
	name   string
}

func newNameIndex(permissions []Permission) nameIndex {
	size := 8
	for size < 2*len(permissions) {
		size *= 2
	}
	x := nameIndex{slots: make([]nameSlot, size), mask: uint32(size - 1)}
	for i := range x.slots {
		x.slots[i].number = -1
	}
	for n, p := range permissions {
		i := uint32(p.hash) & x.mask
		for x.slots[i].number >= 0 {
			i = (i + 1) & x.mask
		}
		x.slots[i] = nameSlot{uint32(p.hash), int32(n), p.name}
	}
	return x
}

// find returns the number of p, -1 where it is not declared. The zero Permission never is.
func (x *nameIndex) find(p Permission) int {
	for i := uint32(p.hash) & x.mask; ; i = (i + 1) & x.mask {
		slot := &x.slots[i]
		if slot.number < 0 {
			return -1
		}
		if slot.hash == uint32(p.hash) && slot.name == p.name {
			return int(slot.number)
		}
	}
}
