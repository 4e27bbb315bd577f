// A web application that signs people in by goth, as its own example has it.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/markbates/goth"
	"github.com/markbates/goth/gothic"
	"github.com/markbates/goth/providers/openidConnect"

	"gatelodge/interop/ready"
)

func main() {
	listener, origin := ready.Listen()
	callback, scopes := os.Getenv("CALLBACK"), strings.Fields(os.Getenv("SCOPE"))
	if callback == "" {
		callback, scopes = "/auth/openid-connect/callback", []string{"profile", "email"}
	}
	provider, err := openidConnect.New(
		os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), origin+callback,
		os.Getenv("ISSUER")+"/.well-known/openid-configuration", scopes...,
	)
	if err != nil {
		log.Fatal(err)
	}
	goth.UseProviders(provider)

	http.HandleFunc("/auth/openid-connect", func(w http.ResponseWriter, r *http.Request) {
		gothic.BeginAuthHandler(w, gothic.GetContextWithProvider(r, "openid-connect"))
	})
	http.HandleFunc(callback, func(w http.ResponseWriter, r *http.Request) {
		user, err := gothic.CompleteUserAuth(w, gothic.GetContextWithProvider(r, "openid-connect"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(user)
	})
	log.Fatal(http.Serve(listener, nil))
}
