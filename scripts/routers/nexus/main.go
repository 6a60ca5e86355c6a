// A nexus router with users and rules from one JSON file, for the studio and for tests. The file is read anew at each login
// and each decision, so that a device that was added is let in. It says READY when it listens, and leaves on SIGTERM.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gammazero/nexus/v3/router"
	"github.com/gammazero/nexus/v3/router/auth"
	"github.com/gammazero/nexus/v3/wamp"
)

// user is one that may log in. Secret: the WAMP-CRA key (base64 of PBKDF2 where there is a salt), ticket, or public key in hex.
type user struct {
	Method, Secret, Role, Serial, Salt string
	Iterations, Keylen                 int
}

// rule allows actions on a URI. {authid} and {serial} stand for the session's own.
type rule struct {
	URI, Match string
	Allow      []string
}

type config struct {
	Realm     string
	Keepalive int // ms between pings; 0: none
	Users     map[string]user
	Roles     map[string][]rule
	Listen    []listener
}

type listener struct {
	Address, Cert, Key, ClientCA string
}

type file string

func (f file) read() (c config, err error) {
	text, err := os.ReadFile(string(f))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

func (f file) user(authid string) (user, error) {
	c, err := f.read()
	if err != nil {
		return user{}, err
	}
	if u, ok := c.Users[authid]; ok {
		return u, nil
	}
	return user{}, errors.New("no such user")
}

func (f file) AuthKey(authid, method string) ([]byte, error) {
	u, err := f.user(authid)
	if err != nil {
		return nil, err
	}
	if u.Method != method {
		return nil, errors.New("no such user")
	}
	if method == "cryptosign" {
		return hex.DecodeString(u.Secret)
	}
	return []byte(u.Secret), nil
}

func (f file) PasswordInfo(authid string) (string, int, int) {
	u, _ := f.user(authid)
	return u.Salt, u.Keylen, u.Iterations
}

func (f file) AuthRole(authid string) (string, error) {
	u, err := f.user(authid)
	return u.Role, err
}

func (f file) Provider() string { return "static" }

// Authorize lets the best fitting rule decide: an exact one, else the longest prefix.
func (f file) Authorize(session *wamp.Session, message wamp.Message) (bool, error) {
	var action string
	var uri wamp.URI
	switch m := message.(type) {
	case *wamp.Publish:
		action, uri = "publish", m.Topic
	case *wamp.Subscribe:
		action, uri = "subscribe", m.Topic
	case *wamp.Register:
		action, uri = "register", m.Procedure
	case *wamp.Call:
		action, uri = "call", m.Procedure
	default:
		return true, nil
	}
	c, err := f.read()
	if err != nil {
		return false, err
	}
	session.Lock()
	authid, _ := wamp.AsString(session.Details["authid"])
	role, _ := wamp.AsString(session.Details["authrole"])
	session.Unlock()
	if action == "call" || action == "publish" {
		disclose(message)
	}
	own := strings.NewReplacer("{authid}", authid, "{serial}", c.Users[authid].Serial)
	best, length := []string(nil), -1
	for _, r := range c.Roles[role] {
		if strings.Contains(r.URI, "{serial}") && c.Users[authid].Serial == "" {
			continue
		}
		text := own.Replace(r.URI)
		switch {
		case r.Match != "prefix" && text == string(uri):
			best, length = r.Allow, 1<<30
		case r.Match == "prefix" && strings.HasPrefix(string(uri), text) && len(text) > length:
			best, length = r.Allow, len(text)
		}
	}
	for _, each := range best {
		if each == action {
			return true, nil
		}
	}
	return false, nil
}

// disclose asks for it in the caller's place: nexus tells a callee who calls only if the caller wants it.
func disclose(message wamp.Message) {
	switch m := message.(type) {
	case *wamp.Call:
		m.Options = wamp.SetOption(m.Options, "disclose_me", true)
	case *wamp.Publish:
		m.Options = wamp.SetOption(m.Options, "disclose_me", true)
	}
}

func (l listener) open() (net.Listener, error) {
	plain, err := net.Listen("tcp", l.Address)
	if err != nil || l.Cert == "" {
		return plain, err
	}
	pair, err := tls.LoadX509KeyPair(l.Cert, l.Key)
	if err != nil {
		return nil, err
	}
	safe := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if l.ClientCA != "" {
		pem, err := os.ReadFile(l.ClientCA)
		if err != nil {
			return nil, err
		}
		safe.ClientCAs, safe.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
		safe.ClientCAs.AppendCertsFromPEM(pem)
	}
	return tls.NewListener(plain, safe), nil
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: nexus-router <config.json>")
	}
	users := file(os.Args[1])
	c, err := users.read()
	if err != nil {
		log.Fatal(err)
	}
	wait := 5 * time.Second
	logger := log.New(os.Stderr, "", log.Lmicroseconds)
	realm := &router.RealmConfig{
		URI: wamp.URI(c.Realm), AllowDisclose: true, EnableMetaKill: true,
		Authenticators: []auth.Authenticator{auth.NewCRAuthenticator(users, wait), auth.NewTicketAuthenticator(users, wait), auth.NewCryptoSignAuthenticator(users, wait)},
	}
	if len(c.Roles) > 0 {
		realm.Authorizer = users
		realm.RequireLocalAuthz = false
	}
	r, err := router.NewRouter(&router.Config{RealmConfigs: []*router.RealmConfig{realm}}, logger)
	if err != nil {
		log.Fatal(err)
	}
	sockets := router.NewWebsocketServer(r)
	// 64, its default, loses events in a burst.
	sockets.KeepAlive, sockets.OutQueueSize = time.Duration(c.Keepalive)*time.Millisecond, 1024
	var open []net.Listener
	for _, each := range c.Listen {
		l, err := each.open()
		if err != nil {
			log.Fatal(err)
		}
		open = append(open, l)
		server := &http.Server{Handler: sockets, ReadHeaderTimeout: wait, ErrorLog: logger}
		go server.Serve(l) //nolint:errcheck
	}
	fmt.Println("READY")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	for _, l := range open {
		l.Close()
	}
	r.Close()
	time.Sleep(300 * time.Millisecond) // its goodbyes are on their way
}
