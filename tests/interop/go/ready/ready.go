// Package ready has what these programs share: a port, which a story is told.
package ready

import (
	"fmt"
	"log"
	"net"
)

// Listen takes a port of the system's choice, and says in a line of its own at which origin that is.
func Listen() (net.Listener, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	origin := "http://" + listener.Addr().String()
	fmt.Println(origin)
	return listener, origin
}
