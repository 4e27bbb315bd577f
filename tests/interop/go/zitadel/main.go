// What an application does with zitadel's library: `web` signs people in and out at a browser,
// `device` signs a person in at a machine that has none.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"

	"gatelodge/interop/ready"
)

var (
	ctx    = context.Background()
	key    = []byte("test1234test1234")
	scopes = []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail, oidc.ScopeOfflineAccess}
)

// The relying party that the environment describes.
func party(redirect string) rp.RelyingParty {
	cookies := httphelper.NewCookieHandler(key, key, httphelper.WithUnsecure())
	options := []rp.Option{
		rp.WithCookieHandler(cookies),
		rp.WithVerifierOpts(rp.WithIssuedAtOffset(5 * time.Second)),
		rp.WithSigningAlgsFromDiscovery(),
	}
	id, secret := os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET")
	if secret == "" {
		options = append(options, rp.WithPKCE(cookies))
	}
	if path := os.Getenv("KEY_PATH"); path != "" {
		signingKey, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, rp.WithJWTProfile(rp.SignerFromKeyAndKeyID(signingKey, os.Getenv("KEY_ID"))))
	}
	provider, err := rp.NewRelyingPartyOIDC(ctx, os.Getenv("ISSUER"), id, secret, redirect, scopes, options...)
	if err != nil {
		log.Fatal(err)
	}
	return provider
}

func web() {
	listener, origin := ready.Listen()
	provider := party(origin + "/auth/callback")
	var idToken string

	told := func(
		w http.ResponseWriter, r *http.Request, tokens *oidc.Tokens[*oidc.IDTokenClaims], state string,
		_ rp.RelyingParty, info *oidc.UserInfo,
	) {
		idToken = tokens.IDToken
		json.NewEncoder(w).Encode(map[string]any{"id_token": tokens.IDTokenClaims, "userinfo": info})
	}
	http.Handle("/login", rp.AuthURLHandler(uuid.NewString, provider))
	http.Handle("/auth/callback", rp.CodeExchangeHandler(rp.UserinfoCallback(told), provider))
	// From here, not from the browser: nothing but the hint says whose session ends.
	http.HandleFunc("/logout", func(w http.ResponseWriter, r *http.Request) {
		at, err := rp.EndSession(r.Context(), provider, idToken, origin+"/bye", "gone", "", nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"location": fmt.Sprint(at), "meant": origin + "/bye"})
	})
	log.Fatal(http.Serve(listener, nil))
}

func device() {
	provider := party("")
	asked, err := rp.DeviceAuthorization(ctx, scopes, provider, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(asked.VerificationURIComplete)
	interval := time.Duration(asked.Interval) * time.Second
	tokens, err := rp.DeviceAccessToken(ctx, asked.DeviceCode, interval, provider)
	if err != nil {
		log.Fatal(err)
	}
	verifier := provider.IDTokenVerifier()
	claims, err := rp.VerifyTokens[*oidc.IDTokenClaims](ctx, tokens.AccessToken, tokens.IDToken, verifier)
	if err != nil {
		log.Fatal(err)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"id_token": claims, "refresh_token": tokens.RefreshToken})
}

func main() {
	map[string]func(){"web": web, "device": device}[os.Args[1]]()
}
