//! CVEs and which endpoint has which.

use std::sync::Arc;

use super::endpoint::Os;
use super::mix::{Mix, Purpose};

const DAY: i64 = 24 * 3_600_000;

/// One CVE as `va_cves` has it. There are few, so they are kept whole.
#[derive(Clone, Debug)]
pub struct Cve {
    pub name: Arc<str>,
    pub internal_id: u32,
    pub description: Arc<str>,
    pub severity: &'static str,
    pub score: f64,
    pub published: i64,
    pub modified: i64,
    pub product: &'static str,
    pub os: Os,
    pub kind: &'static str,
    pub exploitability: f64,
    pub impact: f64,
    pub excluded: bool,
}

const PRODUCTS: [(&str, &str, &str); 9] = [
    (
        "OpenSSL",
        "APPLICATION",
        "a use after free in certificate parsing",
    ),
    (
        "Google Chrome",
        "APPLICATION",
        "a type confusion in the script engine",
    ),
    (
        "Windows",
        "OPERATING_SYSTEM",
        "an elevation of privilege in the kernel",
    ),
    (
        "linux-kernel",
        "OPERATING_SYSTEM",
        "an out-of-bounds write in the network stack",
    ),
    (
        "macOS",
        "OPERATING_SYSTEM",
        "a logic issue that bypasses privacy preferences",
    ),
    (
        "Mozilla Firefox",
        "APPLICATION",
        "memory safety bugs, some of them exploitable",
    ),
    (
        "OpenSSH",
        "APPLICATION_AND_OS",
        "a race in the signal handler before authentication",
    ),
    (
        "Adobe Acrobat Reader",
        "APPLICATION",
        "an out-of-bounds read on crafted files",
    ),
    (
        "curl",
        "APPLICATION",
        "a heap overflow in the proxy handshake",
    ),
];

impl Cve {
    /// The CVE at a serial, or one of the given name.
    pub fn generate(seed: u64, serial: u32, now: i64, name: Option<&str>) -> Self {
        let mut mix = Mix::new(seed, Purpose::Cve, u64::from(serial));
        let year = 2016 + serial % 10;
        let number = 1_000 + u64::from(serial / 10) * 37 + mix.below(37);
        let name: Arc<str> = match name {
            Some(name) => name.into(),
            None => format!("CVE-{year}-{number}").into(),
        };
        let score = [9.8, 9.1, 8.8, 7.8, 7.5, 6.5, 5.5, 4.3, 3.3]
            .get(mix.weighted(&[5, 5, 12, 20, 18, 18, 12, 6, 4]));
        let score = score.copied().unwrap_or(5.0);
        let severity = match score {
            9.0.. => "CRITICAL",
            7.0.. => "HIGH",
            4.0.. => "MEDIUM",
            _ => "LOW",
        };
        let (product, kind, flaw) = mix.pick(&PRODUCTS);
        let os = match serial % 3 {
            0 => Os::Windows,
            1 => Os::Linux,
            _ => Os::Mac,
        };
        let published = now - (30 + mix.below(3_000) as i64) * DAY - mix.below(DAY as u64) as i64;
        Cve {
            description: format!(
                "{product} has {flaw}. An attacker could use \"{name}\" to run code or read data."
            )
            .into(),
            name,
            internal_id: serial + 1,
            severity,
            score,
            published,
            modified: published + (1 + mix.below(29) as i64) * DAY,
            product,
            os,
            kind,
            exploitability: (mix.below(40) as f64) / 10.0,
            impact: (mix.below(60) as f64) / 10.0,
            excluded: mix.below(50) == 0,
        }
    }
}

/// What the generated estate's scan found on an endpoint: `None` when it was never scanned, else rows of CVEs, ascending.
pub fn scanned(seed: u64, serial: u32, os: Os, cves: u32) -> Option<Vec<u32>> {
    let mut mix = Mix::new(seed, Purpose::Scan, u64::from(serial));
    if mix.percent(12) {
        return None;
    }
    if cves == 0 || mix.percent(10) {
        return Some(Vec::new());
    }
    let wanted = match mix.weighted(&[50, 35, 15]) {
        0 => 1 + mix.below(5),
        1 => 5 + mix.below(12),
        _ => 15 + mix.below(25),
    };
    let offset = match os {
        Os::Windows => 0,
        Os::Linux => 1,
        Os::Mac => 2,
    };
    let per_os = u64::from(cves.div_ceil(3)).max(1);
    let mut found: Vec<u32> = (0..wanted)
        .map(|_| {
            // The product of two draws favours low numbers: some CVEs are everywhere, most are rare.
            let drawn = mix.below(per_os).min(mix.below(per_os));
            (drawn as u32 * 3 + offset) % cves
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_severity_follows_the_score() {
        let cves: Vec<Cve> = (0..5_000)
            .map(|serial| Cve::generate(1, serial, 1_750_000_000_000, None))
            .collect();
        let names: std::collections::HashSet<&str> = cves.iter().map(|cve| &*cve.name).collect();
        assert_eq!(names.len(), 5_000);
        assert!(
            cves.iter()
                .all(|cve| (cve.severity == "CRITICAL") == (cve.score >= 9.0))
        );
        assert!(cves.iter().any(|cve| cve.severity == "LOW"));
    }

    #[test]
    fn scans_differ_none_some_and_nothing_found_and_share_cves() {
        let scans: Vec<_> = (0..1_000)
            .map(|serial| scanned(1, serial, Os::Linux, 90))
            .collect();
        assert!(scans.iter().any(Option::is_none));
        assert!(scans.iter().flatten().any(Vec::is_empty));
        let first = scans
            .iter()
            .flatten()
            .filter(|found| found.contains(&1))
            .count();
        assert!(first > 20, "a common CVE is on {first} endpoints");
        assert!(scans.iter().flatten().flatten().all(|cve| *cve < 90));
        assert!((1..4).all(|cves| {
            scanned(1, 3, Os::Mac, cves)
                .into_iter()
                .flatten()
                .all(|cve| cve < cves)
        }));
    }
}
