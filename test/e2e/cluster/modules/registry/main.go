// registry serves go-containerregistry's registry with OCI 1.1 referrers: where Chains and cosign put signatures and provenance.
// Blobs are files; manifests and tags live in memory, so whoever starts it pushes the base images again.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	address := flag.String("address", "127.0.0.1:5000", "listen address")
	blobs := flag.String("blobs", "", "folder for blobs")
	flag.Parse()
	handler := registry.New(
		registry.WithReferrersSupport(true),
		registry.WithBlobHandler(registry.NewDiskBlobHandler(*blobs)),
	)
	server := &http.Server{Addr: *address, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
