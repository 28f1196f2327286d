//! Which addresses a connector may not reach, whatever name led there.
//!
//! An IPv6 address that carries an IPv4 address is judged as that one: a server or a gateway on the way would unwrap it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is forbidden, as a noun phrase, or none where it is allowed.
pub fn forbidden(address: IpAddr, allow_loopback: bool) -> Option<&'static str> {
    match address {
        IpAddr::V4(ip) => forbidden_v4(ip, allow_loopback),
        IpAddr::V6(ip) => forbidden_v6(ip, allow_loopback),
    }
}

/// Whether an address is this machine, in any of its spellings.
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
    }
}

/// The IANA registry of special-purpose IPv4 addresses, and what clouds answer metadata on.
fn forbidden_v4(ip: Ipv4Addr, allow_loopback: bool) -> Option<&'static str> {
    match ip.octets() {
        [127, ..] => (!allow_loopback).then_some("a loopback address"),
        [0, ..] => Some("an unspecified address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [100, 64..=127, ..] => Some("an address shared behind a carrier's NAT"),
        [169, 254, ..] => Some("a link-local address, where clouds answer with metadata"),
        // Azure's platform address, which answers every virtual machine.
        [168, 63, 129, 16] => Some("an address where a cloud answers with metadata"),
        [192, 0, 0, _] => Some("an address reserved for protocols"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Some("an address for documentation")
        }
        [192, 88, 99, _] => Some("a 6to4 relay"),
        [198, 18..=19, ..] => Some("an address for benchmarks"),
        [224..=239, ..] => Some("a multicast address"),
        [240..=255, ..] => Some("a reserved address"),
        _ => None,
    }
}

fn forbidden_v6(ip: Ipv6Addr, allow_loopback: bool) -> Option<&'static str> {
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        forbidden_v4(Ipv4Addr::new(a, b, c, d), allow_loopback)
    };
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an unspecified address"),
        [0, 0, 0, 0, 0, 0, 0, 1] => (!allow_loopback).then_some("a loopback address"),
        // Mapped, compatible, translated (SIIT), NAT64, 6to4: judged as the IPv4 address inside.
        [0, 0, 0, 0, 0, 0xffff, high, low] => inner(high, low),
        [0, 0, 0, 0, 0, 0, high, low] => inner(high, low),
        [0, 0, 0, 0, 0xffff, 0, high, low] => inner(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inner(high, low),
        [0x2002, high, low, ..] => inner(high, low),
        [0x64, 0xff9b, 1, ..] => Some("an address of a local NAT64"),
        [0x100, 0, 0, ..] => Some("a discard address"),
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Some("an address for documentation"),
        // Teredo, ORCHID, benchmarks and the rest of the IETF's protocol assignments.
        [0x2001, 0..=0x1ff, ..] => Some("an address reserved for protocols"),
        [0x5f00, ..] => Some("an address for segment routing"),
        [0xfc00..=0xfdff, ..] => Some("a private address"),
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfec0..=0xfeff, ..] => Some("a site-local address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        // All that is assigned for the open internet lies in 2000::/3.
        [0x2000..=0x3fff, ..] => None,
        _ => Some("a reserved address"),
    }
}
