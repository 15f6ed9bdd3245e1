package serialserver

import (
	"net"
	"net/netip"
)

// ByAddress returns the address of a client's host, without the port, as a key for LimitRate. Of an IPv6 address
// it is the network of 64 bits, because one host may have all addresses of that. Clients whose connections have
// no IP address share the key "".
func ByAddress(c *Client) string {
	if host := hostOf(c.RemoteAddr()); host.IsValid() {
		return host.String()
	}
	return ""
}

// The bits of an address that tell one host from another.
const (
	hostBits4 = 32
	hostBits6 = 64
)

// hostOf returns whom an address belongs to. It is invalid if that is no IP address.
func hostOf(a net.Addr) netip.Prefix {
	if a == nil {
		return netip.Prefix{}
	}
	ip := ipOf(a).Unmap()
	bits := hostBits6
	if ip.Is4() {
		bits = hostBits4
	}
	host, _ := ip.Prefix(bits) // without the zone; of an invalid one: invalid
	return host
}

func ipOf(a net.Addr) netip.Addr {
	if a, ok := a.(interface{ AddrPort() netip.AddrPort }); ok { // *net.TCPAddr
		return a.AddrPort().Addr()
	}
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr()
}
