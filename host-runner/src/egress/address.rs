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

/// Why a name is forbidden, as a noun phrase, or none where it is allowed: one that can't be public, so that only a resolver within a network
/// (or a proxy's) has an answer to it. Whatever a public name leads to is judged by its addresses.
pub fn forbidden_name(name: &str) -> Option<&'static str> {
    let is_below = |suffix: &str| {
        name.strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if is_below("internal") {
        // Where clouds answer with metadata (metadata.google.internal), and companies name their own.
        Some("a name of a private network (.internal)")
    } else if is_below("local") {
        Some("a name of the local network (.local)")
    } else if is_below("home.arpa") {
        Some("a name of a home network (.home.arpa)")
    } else if is_below("onion") {
        Some("a name outside of the DNS (.onion)")
    } else if !name.contains('.') {
        Some("a name without a domain")
    } else {
        None
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
        // ISATAP: the interface's part names the tunnel's end.
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] if inner(high, low).is_some() => {
            inner(high, low)
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(text: &str, allow_loopback: bool) -> Option<&'static str> {
        forbidden(
            text.parse()
                .unwrap_or_else(|_| panic!("{text} is no address")),
            allow_loopback,
        )
    }

    #[test]
    fn public_addresses_are_allowed() {
        for text in [
            "9.9.9.9",
            "34.107.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.167.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
            "64:ff9b::909:909",
            "::ffff:9.9.9.9",
            "2002:909:909::1",
        ] {
            assert_eq!(judged(text, false), None, "{text}");
        }
    }

    #[test]
    fn addresses_that_are_not_public_are_forbidden_with_and_without_the_loopback_flag() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "169.254.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "5f00::1",
            "64:ff9b:1::1",
            "4000::1",
            "e000::1",
        ] {
            assert!(judged(text, false).is_some(), "{text} was allowed");
            assert!(
                judged(text, true).is_some(),
                "{text} was allowed with the flag"
            );
        }
    }

    #[test]
    fn loopback_is_allowed_with_the_flag_only() {
        for text in [
            "127.0.0.1",
            "127.255.255.254",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
        ] {
            assert!(judged(text, false).is_some(), "{text} was allowed");
            assert_eq!(judged(text, true), None, "{text} with the flag");
        }
    }

    #[test]
    fn an_ipv6_address_that_carries_an_ipv4_address_is_judged_as_that_one() {
        for inner in [
            "10.0.0.1",
            "169.254.169.254",
            "192.168.1.1",
            "0.0.0.0",
            "100.64.0.1",
        ] {
            let [a, b, c, d] = inner.parse::<Ipv4Addr>().unwrap().octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            for outer in [
                format!("::ffff:{inner}"),
                format!("::{inner}"),
                format!("::ffff:0:{inner}"),
                format!("64:ff9b::{inner}"),
                format!("2002:{high:x}:{low:x}::1"),
            ] {
                assert!(judged(&outer, true).is_some(), "{outer} was allowed");
            }
        }
    }

    #[test]
    fn every_spelling_of_loopback_is_loopback_and_nothing_else_is() {
        for (text, loopback) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("128.0.0.1", false),
            ("::2", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(text.parse().unwrap()), loopback, "{text}");
        }
    }
}
