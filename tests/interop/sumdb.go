// The other side of the interop test: notes by golang.org/x/mod/sumdb/note,
// tree and tiles by golang.org/x/mod/sumdb/tlog, the rest (cosignatures,
// proof files, C2SP tile paths) from the text of the C2SP pages.
//
// usage: sumdb check DIR | sumdb write DIR
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io/ioutil"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var dir string
var sizes = []int64{1, 2, 255, 256, 257, 1000, 65536, 66000}

const height = 8

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func need(ok bool, format string, args ...interface{}) {
	if !ok {
		panic(fmt.Sprintf(format, args...))
	}
}

func read(name string) []byte {
	b, err := ioutil.ReadFile(filepath.Join(dir, name))
	must(err)
	return b
}

func write(name string, b []byte) {
	path := filepath.Join(dir, name)
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	must(ioutil.WriteFile(path, b, 0o644))
}

// leafData is the same on both sides.
func leafData(i int64) []byte {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(i))
	h := sha256.Sum256(b[:])
	return h[:]
}

// c2spPath has no height in it, other than tlog.Tile's own.
func c2spPath(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", t.H), "tile/", 1)
}

// ---- cosignature/v1

type witness struct {
	name string
	key  ed25519.PublicKey
	priv ed25519.PrivateKey
	time uint64
}

func (w *witness) Name() string { return w.name }

func (w *witness) KeyHash() uint32 {
	h := sha256.Sum256(append([]byte(w.name+"\n\x04"), w.key...))
	return binary.BigEndian.Uint32(h[:])
}

func (w *witness) vkey() string {
	return fmt.Sprintf("%s+%08x+%s", w.name, w.KeyHash(),
		base64.StdEncoding.EncodeToString(append([]byte{4}, w.key...)))
}

func cosigned(time uint64, msg []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), msg...)
}

func (w *witness) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	return time == w.time && ed25519.Verify(w.key, cosigned(time, msg), sig[8:])
}

func (w *witness) Sign(msg []byte) ([]byte, error) {
	sig := make([]byte, 8)
	binary.BigEndian.PutUint64(sig, w.time)
	return append(sig, ed25519.Sign(w.priv, cosigned(w.time, msg))...), nil
}

func parseWitness(vkey string, time uint64) *witness {
	parts := strings.SplitN(vkey, "+", 3)
	need(len(parts) == 3, "vkey %q", vkey)
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	need(len(raw) == 33 && raw[0] == 4, "no witness key: %q", vkey)
	w := &witness{name: parts[0], key: raw[1:], time: time}
	need(fmt.Sprintf("%08x", w.KeyHash()) == parts[1], "key id of %q", vkey)
	return w
}

// ---- checkpoints

func parseCheckpoint(text, origin string) tlog.Tree {
	lines := strings.Split(text, "\n")
	need(len(lines) == 4 && lines[3] == "" && lines[0] == origin,
		"checkpoint text %q", text)
	n, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	h, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: n, Hash: h}
}

func open(b []byte, log note.Verifier) tlog.Tree {
	n, err := note.Open(b, note.VerifierList(log))
	must(err)
	need(len(n.Sigs) == 1, "signatures of %s", log.Name())
	return parseCheckpoint(n.Text, log.Name())
}

// ---- tiles

type files struct{}

func (files) Height() int                            { return height }
func (files) SaveTiles(t []tlog.Tile, data [][]byte) {}
func (files) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		data = append(data, read(c2spPath(t)))
	}
	return data, nil
}

// ---- proofs, one a line: numbers, then hashes in base64

func proofLine(a, b int64, hashes []tlog.Hash) string {
	s := fmt.Sprintf("%d %d", a, b)
	for _, h := range hashes {
		s += " " + h.String()
	}
	return s + "\n"
}

func parseProofLine(line string) (a, b int64, hashes []tlog.Hash) {
	f := strings.Split(line, " ")
	need(len(f) >= 2, "proof line %q", line)
	a, err := strconv.ParseInt(f[0], 10, 64)
	must(err)
	b, err = strconv.ParseInt(f[1], 10, 64)
	must(err)
	for _, s := range f[2:] {
		h, err := tlog.ParseHash(s)
		must(err)
		hashes = append(hashes, h)
	}
	return a, b, hashes
}

func lines(name string) []string {
	s := string(read(name))
	need(strings.HasSuffix(s, "\n"), "%s does not end in LF", name)
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

func checkProofs(trees map[int64]tlog.Tree, readers map[int64]tlog.HashReader) {
	n := 0
	for _, line := range lines("inclusion") {
		index, size, p := parseProofLine(line)
		must(tlog.CheckRecord(p, size, trees[size].Hash, index,
			tlog.RecordHash(leafData(index))))
		own, err := tlog.ProveRecord(size, index, readers[size])
		must(err)
		need(proofLine(index, size, own) == line+"\n", "own proof of %d in %d", index, size)
		n++
	}
	for _, line := range lines("consistency") {
		old, size, p := parseProofLine(line)
		must(tlog.CheckTree(p, size, trees[size].Hash, old, trees[old].Hash))
		own, err := tlog.ProveTree(size, old, readers[size])
		must(err)
		need(proofLine(old, size, own) == line+"\n", "own proof from %d to %d", old, size)
		n++
	}
	need(n > 60, "only %d proofs", n)
}

// A c2sp.org/tlog-proof@v1 file of the leaf at some place.
func checkProofFile(log note.Verifier) {
	parts := strings.SplitN(string(read("place.tlog-proof")), "\n\n", 2)
	need(len(parts) == 2, "proof file")
	head := strings.Split(parts[0], "\n")
	need(head[0] == "c2sp.org/tlog-proof@v1", "first line %q", head[0])
	need(strings.HasPrefix(head[1], "extra "), "second line %q", head[1])
	prev, err := base64.StdEncoding.DecodeString(head[1][6:])
	must(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(head[2], "index "), 10, 64)
	must(err)
	need(bytes.Equal(prev, leafData(index-1)), "extra")
	var p []tlog.Hash
	for _, s := range head[3:] {
		h, err := tlog.ParseHash(s)
		must(err)
		p = append(p, h)
	}
	tree := open([]byte(parts[1]), log)
	must(tlog.CheckRecord(p, tree.N, tree.Hash, index, tlog.RecordHash(leafData(index))))
}

func check() {
	log, err := note.NewVerifier(strings.TrimSpace(string(read("vkey"))))
	must(err)
	trees, readers := map[int64]tlog.Tree{}, map[int64]tlog.HashReader{}
	for _, size := range sizes {
		tree := open(read(fmt.Sprintf("checkpoint.%d", size)), log)
		need(tree.N == size, "size %d", tree.N)
		trees[size] = tree
		readers[size] = tlog.TileHashReader(tree, files{})
		root, err := tlog.TreeHash(size, readers[size])
		must(err)
		need(root == tree.Hash, "root of %d", size)
	}
	last := sizes[len(sizes)-1]
	// Every leaf: x/mod 0.7.0 authenticates too few tiles where several of the
	// subtrees that make the root share one (it skips len(stx) tiles, not as
	// many as it planned), so that its own check alone would miss a change.
	for from := int64(0); from < last; from += 256 {
		var indexes []int64
		for i := from; i < from+256 && i < last; i++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, i))
		}
		hashes, err := readers[last].ReadHashes(indexes)
		must(err)
		for i, h := range hashes {
			need(h == tlog.RecordHash(leafData(from+int64(i))), "leaf %d", from+int64(i))
		}
	}
	checkProofs(trees, readers)
	for n := int64(0); n*256 < last; n++ {
		t := tlog.Tile{H: height, L: 0, N: n, W: 256}
		if (n+1)*256 > last {
			t.W = int(last % 256)
		}
		b := read(strings.Replace(c2spPath(t), "tile/0/", "tile/entries/", 1))
		for i := int64(0); i < int64(t.W); i++ {
			need(len(b) >= 34 && binary.BigEndian.Uint16(b) == 32 &&
				bytes.Equal(b[2:34], leafData(n*256+i)), "bundle %d", n)
			b = b[34:]
		}
		need(len(b) == 0, "bundle %d too long", n)
	}
	w := parseWitness(strings.TrimSpace(string(read("witness"))), 1700000000)
	n, err := note.Open(read("cosigned"), note.VerifierList(log, w))
	must(err)
	need(len(n.Sigs) == 2 && len(n.UnverifiedSigs) == 0, "cosigned by %v", n.Sigs)
	checkProofFile(log)
	fmt.Println("theirs: checked notes, tiles and proofs")
}

func makeTree(size int64) (tlog.HashReader, []tlog.Hash) {
	var stored []tlog.Hash
	r := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i := int64(0); i < size; i++ {
		h, err := tlog.StoredHashes(i, leafData(i), r)
		must(err)
		stored = append(stored, h...)
	}
	return r, stored
}

func writeAll() {
	skey, vkey, err := note.GenerateKey(rand.Reader, "theirs.example/log")
	must(err)
	signer, err := note.NewSigner(skey)
	must(err)
	write("vkey", []byte(vkey+"\n"))
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	must(err)
	w := &witness{name: "w.example", key: pub, priv: priv, time: 1700000000}
	write("witness", []byte(w.vkey()+"\n"))
	last := sizes[len(sizes)-1]
	r, _ := makeTree(last)
	var inclusion, consistency string
	old := int64(0)
	for _, size := range sizes {
		root, err := tlog.TreeHash(size, r)
		must(err)
		n := &note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), size, root)}
		b, err := note.Sign(n, signer)
		must(err)
		write(fmt.Sprintf("checkpoint.%d", size), b)
		for _, t := range tlog.NewTiles(height, old, size) {
			data, err := tlog.ReadTileData(t, r)
			must(err)
			write(c2spPath(t), data)
			if t.L != 0 {
				continue
			}
			var bundle []byte
			for i := 0; i < t.W; i++ {
				bundle = append(bundle, 0, 32)
				bundle = append(bundle, leafData(t.N*256+int64(i))...)
			}
			write(strings.Replace(c2spPath(t), "tile/0/", "tile/entries/", 1), bundle)
		}
		for _, i := range []int64{0, size / 3, size / 2, size - 1} {
			p, err := tlog.ProveRecord(size, i, r)
			must(err)
			inclusion += proofLine(i, size, p)
		}
		for _, from := range sizes {
			if from > size {
				break
			}
			p, err := tlog.ProveTree(size, from, r)
			must(err)
			consistency += proofLine(from, size, p)
		}
		if size == last {
			b, err = note.Sign(n, signer, w)
			must(err)
			write("cosigned", b)
			p, err := tlog.ProveRecord(size, 777, r)
			must(err)
			s := fmt.Sprintf("c2sp.org/tlog-proof@v1\nextra %s\nindex 777\n",
				base64.StdEncoding.EncodeToString(leafData(776)))
			for _, h := range p {
				s += h.String() + "\n"
			}
			write("place.tlog-proof", []byte(s+"\n"+string(b)))
		}
		old = size
	}
	write("inclusion", []byte(inclusion))
	write("consistency", []byte(consistency))
	fmt.Println("theirs: written")
}

func main() {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintln(os.Stderr, "theirs:", r)
			os.Exit(1)
		}
	}()
	need(len(os.Args) == 3, "usage: sumdb check|write DIR")
	dir = os.Args[2]
	if os.Args[1] == "check" {
		check()
	} else {
		writeAll()
	}
}
