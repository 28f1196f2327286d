//! The fields that queries know, as data. Their names are those that the platforms' documents and target models print, and the
//! platform's own words.
//!
//! Names are compared without case, spaces, `-`, `_` and `[]`, so that `findingSource`, "Finding source" and `finding-source` are one
//! name, and a target path may be typed as a transform map writes it.

use super::place::{
    AssetText as A, AssetTime, FindingText as F, FindingTime, NumberPlace as Score,
};

/// A field.
#[derive(Debug)]
pub(super) struct Field<K: 'static> {
    /// With the subject's name before it.
    pub(super) name: &'static str,
    /// Other names, without the subject's.
    pub(super) aliases: &'static [&'static str],
    /// What it is, for people.
    pub(super) about: &'static str,
    /// What it holds, and where.
    pub(super) kind: K,
}

/// What a field of assets holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum AssetKind {
    Text(&'static [A]),
    Time(&'static [AssetTime]),
    State,
}

/// What a field of findings holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum FindingKind {
    Text(&'static [F]),
    Time(&'static [FindingTime]),
    Number(&'static [Score]),
    Severity,
    State,
}

/// Objects of a document whose members have the names that an administrator gave: any name below them is a field.
pub(super) const OPEN: [&str; 2] = ["customFields", "temp_q_customAttributes"];

/// Before a path into the document.
pub(super) const DOCUMENT: &str = "document";

/// What Qualys' model has of a detection and not of a vulnerability: it writes the time of either into one place.
const DETECTION: &str = "findingType.detection";

const fn asset(
    name: &'static str,
    aliases: &'static [&'static str],
    about: &'static str,
    kind: AssetKind,
) -> Field<AssetKind> {
    Field {
        name,
        aliases,
        about,
        kind,
    }
}

const fn finding(
    name: &'static str,
    aliases: &'static [&'static str],
    about: &'static str,
    kind: FindingKind,
) -> Field<FindingKind> {
    Field {
        name,
        aliases,
        about,
        kind,
    }
}

/// Of assets.
#[rustfmt::skip]
pub(super) static ASSET: &[Field<AssetKind>] = {
    use AssetKind::{State, Text, Time};
    &[
        asset("asset.name", &["hostName", "host"], "host name", Text(&[A::HostName])),
        asset("asset.title", &[], "title", Text(&[A::Title])),
        asset("asset.inventory.source", &["source", "vendorProductName", "vendorProduct"], "what brought it in, feeds it or found something on it",
            Text(&[A::VendorProduct, A::OnboardingSource, A::FeedingSource, A::FindingFacet("vendor-product"), A::FindingSource])),
        asset("asset.onboardingSource", &[], "what brought it in", Text(&[A::OnboardingSource])),
        asset("asset.findingSource", &[], "what reports findings on it", Text(&[A::FeedingSource, A::FindingSource])),
        asset("asset.externalAssetId", &["externalId", "assetId", "id", "key"], "its id at the source", Text(&[A::Key, A::Identity("external-id")])),
        asset("asset.domain", &[], "domain", Text(&[A::Identity("domain"), A::Document("domain"), A::Document("device.domain")])),
        asset("asset.operatingSystem.name", &["operatingSystem", "os", "os.name"], "operating system",
            Text(&[A::Document("operatingSystem.name"), A::Document("operatingSystem"), A::Document("device.os.name")])),
        asset("asset.operatingSystem.version", &["operatingSystemVersion", "os.version"], "its version",
            Text(&[A::Document("operatingSystem.version"), A::Document("operatingSystemVersion"), A::Document("device.os.version")])),
        asset("asset.type", &[], "what kind of asset", Text(&[A::Document("type"), A::Document("device.type")])),
        asset("asset.networkInterfaces.ipAddress", &["ipAddress", "ipAddresses", "ip", "interfaces.address"], "IP addresses",
            Text(&[A::Identity("ip"), A::Document("networkInterfaces.ipAddress"), A::Document("ipAddresses"), A::Document("device.network_interfaces.ip")])),
        asset("asset.networkInterfaces.ipv4Address", &["ipv4Address", "ipv4"], "IPv4 addresses",
            Text(&[A::Document("networkInterfaces.ipv4Address"), A::Ipv4("ipAddresses"), A::Ipv4("device.network_interfaces.ip")])),
        asset("asset.networkInterfaces.ipv6Address", &["ipv6Address", "ipv6"], "IPv6 addresses",
            Text(&[A::Document("networkInterfaces.ipv6Address"), A::Ipv6("ipAddresses"), A::Ipv6("device.network_interfaces.ip")])),
        asset("asset.networkInterfaces.macAddress", &["macAddress", "macAddresses", "mac"], "MAC addresses",
            Text(&[A::Identity("mac"), A::Document("networkInterfaces.macAddress"), A::Document("macAddresses"), A::Document("device.network_interfaces.mac")])),
        asset("asset.temp_q_customAttributes.serverTags", &["serverTags"], "tags that the source's server gave",
            Text(&[A::Document("temp_q_customAttributes.serverTags"), A::Document("unmapped.server_tags")])),
        asset("asset.temp_q_customAttributes.endPointTags", &["endPointTags"], "tags that the endpoint has, or values of custom fields",
            Text(&[A::Document("temp_q_customAttributes.endPointTags"), A::Document("customFields.*"), A::Document("unmapped.endpoint_tags")])),
        asset("asset.tags", &["tags.name"], "tags of both kinds",
            Text(&[A::Document("temp_q_customAttributes.*"), A::Document("customFields.*"), A::Document("unmapped.server_tags"), A::Document("unmapped.endpoint_tags")])),
        asset("asset.assetDetail.cloudInfo.provider", &["cloudInfo.provider", "cloud.provider", "cloudProvider"], "cloud provider",
            Text(&[A::Document("asset.assetDetail.cloudInfo.provider"), A::Document("cloud.provider")])),
        asset("asset.firstFoundDate", &["sourceFirstSeen"], "when the source first saw it",
            Time(&[AssetTime::Document("firstFoundDate"), AssetTime::Document("sourceFirstSeen"), AssetTime::Document("device.first_seen_time")])),
        asset("asset.firstSeen", &["firstFound", "created"], "when the platform first saw it", Time(&[AssetTime::FirstSeen])),
        asset("asset.lastSeen", &["lastFound", "lastFoundDate"], "when the platform last saw it", Time(&[AssetTime::LastSeen])),
        asset("asset.inactiveSince", &["closedAt"], "when it became inactive", Time(&[AssetTime::InactiveSince])),
        asset("asset.state", &["status"], "active, inactive or out-of-scope", State),
        asset("asset.connection", &[], "the connections that feed or fed it", Text(&[A::Connection])),
        asset("asset.stream", &["dataStream"], "the data streams that it came by", Text(&[A::Stream])),
    ]
};

/// Of findings.
#[rustfmt::skip]
pub(super) static FINDING: &[Field<FindingKind>] = {
    use FindingKind::{Number, Severity, State, Text, Time};
    &[
        finding("finding.title", &["name"], "title", Text(&[F::Title])),
        finding("finding.vendorProductName", &["vendorProduct"], "the product that found it", Text(&[F::Facet("vendor-product")])),
        finding("finding.findingSource", &["source"], "what found it", Text(&[F::FindingSource])),
        finding("finding.severity", &[], "critical, high, medium, low, informational or unknown; or 5 to 1", Severity),
        finding("finding.sourceSeverity", &[], "the source's own word", Text(&[F::Document("sourceSeverity"), F::Document("vulnerabilities.severity")])),
        finding("finding.status", &["state"], "open, reopened, parked, closed or out-of-scope", State),
        finding("finding.externalFindingId", &["externalId", "id", "key"], "its id at the source",
            Text(&[F::Key, F::Document("externalFindingId"), F::Document("externalId"), F::Document("finding_info.uid")])),
        finding("finding.cveId", &["cve", "findingType.vulnerability.cveId"], "CVE id",
            Text(&[F::Facet("cve"), F::Document("findingType.vulnerability.cveId"), F::Document("cveId"), F::Document("vulnerabilities.cve.uid")])),
        finding("finding.description", &[], "description",
            Text(&[F::Document("description"), F::Document("finding_info.desc"), F::Document("vulnerabilities.desc")])),
        finding("finding.sourceRiskScore", &["riskScore", "score"], "the source's score, a number",
            Number(&[Score("sourceRiskScore"), Score("score"), Score("unmapped.severity_score")])),
        finding("finding.publishedAt", &["published"], "when what it reports was published",
            Time(&[FindingTime::Document("publishedAt"), FindingTime::SaidWithout("firstFoundOn", DETECTION), FindingTime::Document("vulnerabilities.cve.created_time")])),
        finding("finding.detectedAt", &["detected"], "when the source detected it",
            Time(&[FindingTime::Document("detectedAt"), FindingTime::SaidWith("firstFoundOn", DETECTION), FindingTime::Document("finding_info.created_time")])),
        finding("finding.firstFoundOn", &[], "the time that the map gives for it: published, detected or first seen",
            Time(&[FindingTime::Document("firstFoundOn"), FindingTime::Document("publishedAt"), FindingTime::Document("detectedAt"), FindingTime::Document("vulnerabilities.cve.created_time"),
                FindingTime::Document("finding_info.created_time")])),
        finding("finding.firstSeen", &["firstFound", "firstFoundDate"], "when the platform first saw it", Time(&[FindingTime::FirstSeen])),
        finding("finding.lastSeen", &["lastFound", "lastFoundOn", "lastFoundDate"], "when the platform last saw it open", Time(&[FindingTime::LastSeen])),
        finding("finding.closedAt", &["closedOn"], "when it closed", Time(&[FindingTime::ClosedAt])),
        finding("finding.reopenedAt", &[], "when it was open again after that", Time(&[FindingTime::ReopenedAt])),
        finding("finding.host", &["hostName"], "the host that it is on", Text(&[F::HostName])),
        finding("finding.detector", &["findingType.detection.detector"], "what detected it",
            Text(&[F::Facet("detector"), F::Document("findingType.detection.detector"), F::Document("detector")])),
        finding("finding.category", &["findingType.detection.category"], "category",
            Text(&[F::Document("findingType.detection.category"), F::Document("category"), F::Document("finding_info.types"), F::Document("vulnerabilities.category")])),
        finding("finding.action", &["findingType.detection.action"], "what was done about it",
            Text(&[F::Document("findingType.detection.action"), F::Document("action"), F::Document("unmapped.action")])),
        finding("finding.sourceStatus", &["findingType.detection.sourceStatus"], "the source's own status",
            Text(&[F::Document("findingType.detection.sourceStatus"), F::Document("sourceStatus"), F::Document("status_code")])),
        finding("finding.mitreTactics", &["findingType.detection.mitreTactics"], "MITRE ATT&CK tactics",
            Text(&[F::Document("findingType.detection.mitreTactics"), F::Document("mitreTactics"), F::Document("finding_info.attacks.tactic.uid"), F::Document("finding_info.attacks.tactic.name")])),
        finding("finding.mitreTechniques", &["findingType.detection.mitreTechniques"], "MITRE ATT&CK techniques",
            Text(&[F::Document("findingType.detection.mitreTechniques"), F::Document("mitreTechniques"), F::Document("finding_info.attacks.technique.uid"), F::Document("finding_info.attacks.technique.name"),
                F::Document("finding_info.attacks.sub_technique.uid"), F::Document("finding_info.attacks.sub_technique.name")])),
        finding("finding.affectedProducts", &["findingType.vulnerability.affectedProducts"], "affected products",
            Text(&[F::Document("findingType.vulnerability.affectedProducts"), F::Document("affectedProducts"), F::Document("unmapped.affected_products")])),
        finding("finding.assetKey", &["assetExternalId"], "the id of its asset at the source", Text(&[F::AssetKey])),
        finding("finding.record", &[], "the key of the record that it came from", Text(&[F::Record])),
        finding("finding.connection", &[], "the connection that brought it", Text(&[F::Connection])),
        finding("finding.stream", &["dataStream"], "the data stream that it came by", Text(&[F::Stream])),
    ]
};

/// What names are compared by.
pub(super) fn normal(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_' | '[' | ']'))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// A name without the subject before it.
pub(super) fn bare(name: &'static str) -> &'static str {
    name.split_once('.').map_or(name, |(_, rest)| rest)
}

impl<K> Field<K> {
    /// All its names, without the subject's.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(bare(self.name)).chain(self.aliases.iter().copied())
    }
}

/// The field of that name, which is normal and without the subject.
pub(super) fn find<K>(table: &'static [Field<K>], name: &str) -> Option<&'static Field<K>> {
    table
        .iter()
        .find(|field| field.names().any(|known| normal(known) == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_fields_of_a_subject_share_a_name_and_each_says_what_it_is() {
        fn check<K>(table: &'static [Field<K>], subject: &str) {
            let mut seen = HashSet::new();
            for field in table {
                assert!(field.name.starts_with(subject), "{}", field.name);
                assert!(!field.about.is_empty(), "{}", field.name);
                for name in field.names() {
                    assert!(seen.insert(normal(name)), "{name} of {}", field.name);
                }
            }
        }
        check(ASSET, "asset.");
        check(FINDING, "finding.");
    }

    #[test]
    fn spellings_of_a_name_are_one_name() {
        for name in [
            "Finding Source",
            "findingSource",
            "finding-source",
            "FINDING_SOURCE",
        ] {
            assert_eq!(normal(name), "findingsource");
        }
        assert_eq!(
            normal("networkInterfaces[].ipAddress"),
            "networkinterfaces.ipaddress"
        );
    }
}
