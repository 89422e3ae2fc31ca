// The peer of http_bench.py: Go's net/http answering a fixed JSON text of the size that it is given.
package main

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
)

func main() {
	runtime.GOMAXPROCS(1)
	size, _ := strconv.Atoi(os.Args[2])
	body := []byte(`{"text":"` + strings.Repeat("x", size-12) + `"}` + "\n")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
