//! Normal forms of what identifies, and what never does.
//!
//! | field | normal form | never identifies |
//! |---|---|---|
//! | external-id | without space around it; its case stays | empty, a placeholder ([`PLACEHOLDERS`]), zeros alone |
//! | host-name | lower case, without a dot at its end or the domain that the same document names | empty, a placeholder, `localhost` and names below it, an address |
//! | domain | lower case, without a dot at its end | empty, a placeholder, what machines say that are in no domain ([`NO_DOMAINS`]) |
//! | mac | six or eight pairs of lower-case digits with colons, from any notation | zero, broadcast, multicast, container and virtual adapters ([`SHARED_MACS`]) |
//! | ip | as RFC 5952 writes it; IPv4 within IPv6 as IPv4 | unspecified, loopback, link-local, multicast, broadcast, containers and virtual networks ([`SHARED_NETWORKS`], [`is_bridge_of_docker`]), what names a network by its prefix |

use std::net::{IpAddr, Ipv4Addr};

use super::field::Field;

/// The longest value that identifies, in bytes. A host name has at most 253.
const LONGEST: usize = 512;

/// What stands where a name is not known, in lower case.
pub const PLACEHOLDERS: &[&str] = &[
    "-",
    "?",
    "(none)",
    "n/a",
    "na",
    "nil",
    "none",
    "null",
    "undefined",
    "unknown",
];

/// What machines name as their domain that are in none: any two of them may.
pub const NO_DOMAINS: &[&str] = &[
    "home",
    "home.arpa",
    "lan",
    "local",
    "localdomain",
    "mshome",
    "workgroup",
];

/// Beginnings of MAC addresses that many machines have alike, with whose they are.
pub const SHARED_MACS: &[(&[u8], &str)] = &[
    (&[0x02, 0x42], "Docker's containers and bridges"),
    (
        &[0x0a, 0x58],
        "pods of Kubernetes (the bridge and OVN plugins)",
    ),
    (
        &[0xee, 0xee, 0xee, 0xee, 0xee, 0xee],
        "pods of Kubernetes (Calico)",
    ),
    (&[0x0a, 0x00, 0x27], "VirtualBox's host-only networks"),
    (
        &[0x00, 0x50, 0x56, 0xc0, 0x00],
        "VMware's host-only and NAT adapters",
    ),
    (
        &[0x02, 0x00, 0x4c, 0x4f, 0x4f, 0x50],
        "Microsoft's loopback adapter",
    ),
    (
        &[0x02, 0x00, 0x00, 0x00, 0x00, 0x00],
        "what stands for an address that an operating system hides",
    ),
    (
        &[0x20, 0x41, 0x53, 0x59, 0x4e, 0xff],
        "Microsoft's RAS adapter",
    ),
    (
        &[0x50, 0x50, 0x54, 0x50, 0x30, 0x30],
        "Microsoft's PPTP adapter",
    ),
    (
        &[0x00, 0x05, 0x9a, 0x3c, 0x7a, 0x00],
        "the adapter of Cisco's VPN client",
    ),
];

/// Networks whose addresses many machines have alike, as address and length of the prefix, with whose they are.
pub const SHARED_NETWORKS: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(172, 17, 0, 0), 16, "Docker's default bridge"),
    (Ipv4Addr::new(10, 88, 0, 0), 16, "Podman's default bridge"),
    (
        Ipv4Addr::new(192, 168, 122, 0),
        24,
        "libvirt's default bridge",
    ),
    (
        Ipv4Addr::new(192, 168, 56, 0),
        24,
        "VirtualBox's host-only network",
    ),
    (
        Ipv4Addr::new(10, 0, 2, 15),
        32,
        "every guest behind VirtualBox's or QEMU's NAT",
    ),
    (
        Ipv4Addr::new(10, 244, 0, 0),
        16,
        "Kubernetes pods (kubeadm, flannel)",
    ),
    (
        Ipv4Addr::new(10, 42, 0, 0),
        16,
        "Kubernetes pods (k3s, RKE)",
    ),
];

/// Whether it is what Docker gives the host on each further bridge: 172.18.0.1 to 172.31.0.1. No more of 172.16.0.0/12 is left out, as whole companies
/// live in it, and there hardly a machine has the first address of such a network: a router does.
pub fn is_bridge_of_docker(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [172, 18..=31, 0, 1])
}

/// The normal form of a value, or none where it never identifies. Normal forms are their own normal form.
pub fn normal(field: Field, value: &str) -> Option<String> {
    let value = value.trim();
    if value.len() > LONGEST || value.chars().any(char::is_control) {
        return None;
    }
    let normal = match field {
        Field::ExternalId => external_id(value),
        Field::HostName => host_name(value),
        Field::Domain => domain(value),
        Field::Mac => mac(value),
        Field::Ip => ip(value),
    };
    // A letter may take more bytes in lower case.
    normal.filter(|normal| normal.len() <= LONGEST)
}

fn external_id(value: &str) -> Option<String> {
    let zeros = value.chars().all(|c| matches!(c, '0' | '-'));
    let placeholder = PLACEHOLDERS
        .iter()
        .any(|placeholder| value.eq_ignore_ascii_case(placeholder));
    (!value.is_empty() && !zeros && !placeholder).then(|| value.to_owned())
}

fn name(value: &str) -> Option<String> {
    let name = value.to_lowercase();
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    (!name.is_empty() && !PLACEHOLDERS.contains(&name)).then(|| name.to_owned())
}

fn host_name(value: &str) -> Option<String> {
    name(value).filter(|name| {
        let first = name.split('.').next().unwrap_or_default();
        let local = [
            "localhost",
            "localhost4",
            "localhost6",
            "ip6-localhost",
            "ip6-loopback",
        ];
        !local.contains(&first) && name.parse::<IpAddr>().is_err()
    })
}

fn domain(value: &str) -> Option<String> {
    name(value).filter(|name| !NO_DOMAINS.contains(&name.as_str()))
}

/// A host name without the domain that the same document gives.
pub(super) fn short_host_name(
    host: &str,
    domains: impl IntoIterator<Item = impl AsRef<str>>,
) -> Option<String> {
    let short = domains.into_iter().find_map(|domain| {
        let short = host.strip_suffix(domain.as_ref())?.strip_suffix('.')?;
        Some(short.to_owned())
    });
    match short {
        Some(short) => host_name(&short),
        None => Some(host.to_owned()),
    }
}

fn mac(value: &str) -> Option<String> {
    let octets = octets(value)?;
    let zero = octets.iter().all(|octet| *octet == 0);
    // The lowest bit of the first octet says that it is a group's, as in broadcast.
    let group = octets.first().is_some_and(|first| first & 1 == 1);
    let shared = SHARED_MACS
        .iter()
        .any(|(beginning, _)| octets.starts_with(beginning));
    if zero || group || shared {
        return None;
    }
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    Some(pairs.join(":"))
}

/// Six octets, or the eight of an EUI-64: `00:1b:44:11:3a:b7`, `00-1B-44-11-3A-B7`, `001b.4411.3ab7`, `001b44113ab7`, `0:1b:44:11:3a:b7`.
fn octets(value: &str) -> Option<Vec<u8>> {
    let separated = |c: char| matches!(c, ':' | '-' | '.' | ' ');
    let groups: Vec<&str> = value.split(separated).collect();
    let short = groups.iter().all(|group| matches!(group.len(), 1 | 2));
    let digits: String = if short {
        groups.iter().map(|group| format!("{group:0>2}")).collect()
    } else {
        groups.concat()
    };
    if !matches!(digits.len(), 12 | 16) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at.saturating_add(2))?, 16).ok())
        .collect()
}

fn ip(value: &str) -> Option<String> {
    // A zone is no part of the address. With the length of a prefix it is a network's, which any number of machines are in.
    if value.contains('/') {
        return None;
    }
    let address = value.split('%').next().unwrap_or_default();
    let address = address
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'))
        .unwrap_or(address);
    let address = address.parse::<IpAddr>().ok()?.to_canonical();
    let never = match address {
        IpAddr::V4(four) => is_shared(four),
        IpAddr::V6(six) => {
            six.is_unspecified()
                || six.is_loopback()
                || six.is_unicast_link_local()
                || six.is_multicast()
                // IPv4 within IPv6 as it was written before there were mapped addresses: `::127.0.0.1`.
                || six.segments().starts_with(&[0; 6]) && six.to_ipv4().is_some_and(is_shared)
        }
    };
    (!never).then(|| address.to_string())
}

/// Whether many machines have it alike.
fn is_shared(four: Ipv4Addr) -> bool {
    let bits = u32::from(four);
    four.octets().first() == Some(&0)
        || four.is_loopback()
        || four.is_link_local()
        || four.is_multicast()
        || four.is_broadcast()
        || is_bridge_of_docker(four)
        || SHARED_NETWORKS.iter().any(|(network, length, _)| {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(*length))
                .unwrap_or(0);
            bits & mask == u32::from(*network)
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_the_same_in_any_case_and_with_a_dot_at_the_end() {
        for text in ["srv-1", "SRV-1", " Srv-1. "] {
            assert_eq!(normal(Field::HostName, text).as_deref(), Some("srv-1"));
        }
        assert_eq!(
            normal(Field::Domain, "Corp.Example.COM.").as_deref(),
            Some("corp.example.com")
        );
    }

    #[test]
    fn a_name_that_any_machine_may_have_never_identifies() {
        for text in [
            "",
            " ",
            ".",
            "localhost",
            "LOCALHOST.localdomain",
            "localhost.",
            "unknown",
            "(none)",
            "N/A",
            "127.0.0.1",
            "2001:db8::1",
        ] {
            assert_eq!(normal(Field::HostName, text), None, "{text}");
        }
        for text in ["", "WORKGROUP", "local", "localdomain.", "none"] {
            assert_eq!(normal(Field::Domain, text), None, "{text}");
        }
        for text in [
            "",
            "  ",
            "0",
            "00000000-0000-0000-0000-000000000000",
            "null",
            "Unknown",
        ] {
            assert_eq!(normal(Field::ExternalId, text), None, "{text}");
        }
        assert_eq!(normal(Field::ExternalId, " aB9 ").as_deref(), Some("aB9"));
    }

    #[test]
    fn a_mac_address_is_the_same_in_any_notation() {
        for text in [
            "00:1b:44:11:3a:b7",
            "00-1B-44-11-3A-B7",
            "001b.4411.3ab7",
            "001B44113AB7",
            "0:1b:44:11:3a:b7",
        ] {
            assert_eq!(
                normal(Field::Mac, text).as_deref(),
                Some("00:1b:44:11:3a:b7"),
                "{text}"
            );
        }
        assert_eq!(
            normal(Field::Mac, "00-1b-44-11-3a-b7-00-01").as_deref(),
            Some("00:1b:44:11:3a:b7:00:01")
        );
        for text in [
            "",
            "00:1b:44:11:3a",
            "00:1b:44:11:3a:zz",
            "hello",
            "00:1b:44:11:3a:b7:00",
        ] {
            assert_eq!(normal(Field::Mac, text), None, "{text}");
        }
    }

    #[test]
    fn zero_broadcast_multicast_and_container_mac_addresses_never_identify() {
        for text in [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
            "33:33:00:00:00:01",
            "02:42:ac:11:00:02",
            "02-42-AC-11-00-02",
        ] {
            assert_eq!(normal(Field::Mac, text), None, "{text}");
        }
        for (beginning, whose) in SHARED_MACS {
            let mut octets = beginning.to_vec();
            octets.resize(6, 0x07);
            let text: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(normal(Field::Mac, &text.join("-")), None, "{whose}");
        }
    }

    #[test]
    fn an_ip_address_is_written_in_one_way() {
        for (text, canonical) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:DB8:0:0::0001", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
        ] {
            assert_eq!(
                normal(Field::Ip, text).as_deref(),
                Some(canonical),
                "{text}"
            );
        }
        assert_eq!(normal(Field::Ip, "192.0.2"), None);
    }

    #[test]
    fn loopback_link_local_zero_multicast_and_container_addresses_never_identify() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "172.17.0.1",
            "172.17.255.9",
            "10.88.3.4",
            "192.168.122.1",
            "::",
            "::1",
            "fe80::1",
            "fe80::1%12",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:172.17.0.2",
            "::ffff:169.254.0.1",
            "::127.0.0.1",
            "::172.17.0.2",
            "10.244.0.1",
            "10.42.3.4",
            "192.168.56.1",
            "10.0.2.15",
            "172.18.0.1",
            "172.31.0.1",
            "1.2.3.4/0",
            "192.0.2.1/24",
            "2001:db8::1/64",
        ] {
            assert_eq!(normal(Field::Ip, text), None, "{text}");
        }
        // Docker's further bridges are left out by the host's own address in each: the other addresses there may be a company's.
        for text in [
            "172.16.255.255",
            "172.16.0.1",
            "172.18.0.2",
            "172.18.1.1",
            "172.32.0.1",
            "10.89.0.1",
            "10.0.2.14",
            "10.243.0.1",
            "10.43.0.1",
            "192.168.57.1",
            "192.168.121.1",
            "::192.0.2.1",
            "fd00::1",
        ] {
            assert!(normal(Field::Ip, text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_host_name_is_the_same_with_the_domain_behind_it() {
        assert_eq!(
            short_host_name("srv-1.corp.example.com", ["corp.example.com"]).as_deref(),
            Some("srv-1")
        );
        assert_eq!(
            short_host_name("srv-1.other.example.com", ["corp.example.com"]).as_deref(),
            Some("srv-1.other.example.com")
        );
        assert_eq!(
            short_host_name("srvcorp", ["corp"]).as_deref(),
            Some("srvcorp")
        );
        assert_eq!(short_host_name("corp", ["corp"]).as_deref(), Some("corp"));
        assert_eq!(short_host_name("localhost.corp", ["corp"]), None);
    }

    fn likely() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[a-zA-Z0-9:.% /\\[\\]-]{0,40}",
            "([0-9a-fA-F]{1,2}[:.-]){5}[0-9a-fA-F]{1,2}",
            any::<std::net::IpAddr>().prop_map(|address| address.to_string()),
            any::<std::net::Ipv4Addr>().prop_map(|address| format!("::ffff:{address}")),
        ]
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own_normal_form(value in likely()) {
            for field in Field::ALL {
                if let Some(once) = normal(field, &value) {
                    prop_assert_eq!(normal(field, &once), Some(once.clone()), "{}", field);
                }
            }
        }

        #[test]
        fn case_and_a_dot_at_the_end_change_no_ascii_name(value in "[a-zA-Z0-9.-]{0,20}") {
            for field in [Field::HostName, Field::Domain] {
                let one = normal(field, &value);
                prop_assert_eq!(&normal(field, &value.to_uppercase()), &one);
                prop_assert_eq!(&normal(field, &format!("{value}.")), &one);
            }
        }
    }
}
