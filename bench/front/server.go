// SPDX-License-Identifier: Apache-2.0

// A small server of the same files, which refuses every upload: what a public process costs at the least in Go.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

const (
	uploadBytes = 4096
	answerBytes = 1024
)

func main() {
	http.Handle("/v1/exports/", http.FileServer(http.Dir(os.Args[1])))
	http.HandleFunc("/v1/config", func(answer http.ResponseWriter, request *http.Request) {
		http.ServeFile(answer, request, os.Args[1]+request.URL.Path)
	})
	http.HandleFunc("/v1/health", func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		io.WriteString(answer, `{"status":"ok","failing":[]}`)
	})
	http.HandleFunc("/v1/upload", func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, uploadBytes))
		if err != nil || len(body) != uploadBytes || body[0] != 1 {
			answer.Header().Set("Content-Type", "application/octet-stream")
			answer.Write(make([]byte, answerBytes))
			return
		}
		answer.WriteHeader(http.StatusNotImplemented)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, nil))
}
