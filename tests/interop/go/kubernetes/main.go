// What the Kubernetes API server makes of a bearer token, by its own configuration:
//
//	kubernetes CONFIGURATION
//
// reads an AuthenticationConfiguration, and from standard input a token a line; tells who each is.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/apis/apiserver/install"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	codecs := serializer.NewCodecFactory(scheme, serializer.EnableStrict)
	read, err := runtime.Decode(codecs.UniversalDecoder(), text)
	if err != nil {
		log.Fatal(err)
	}
	issuer := read.(*apiserver.AuthenticationConfiguration).JWT[0]
	authority, err := dynamiccertificates.NewStaticCAContent("oidc", []byte(issuer.Issuer.CertificateAuthority))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	authenticator, err := oidc.New(ctx, oidc.Options{JWTAuthenticator: issuer, CAContentProvider: authority})
	if err != nil {
		log.Fatal(err)
	}
	for wait := 0; authenticator.HealthCheck() != nil; wait++ {
		if wait == 100 {
			log.Fatal(authenticator.HealthCheck())
		}
		time.Sleep(100 * time.Millisecond)
	}
	answers := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		answer, ok, err := authenticator.AuthenticateToken(ctx, lines.Text())
		if err != nil {
			answers.Encode(map[string]any{"error": err.Error()})
		} else if !ok {
			answers.Encode(map[string]any{"error": "not for this issuer"})
		} else {
			answers.Encode(map[string]any{"username": answer.User.GetName(), "groups": answer.User.GetGroups()})
		}
	}
}
