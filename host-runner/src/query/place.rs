//! Where the platform keeps what a field names. A field may have several places: each target model has its own name for a thing, and each
//! is looked at, so that a query means the same whatever map made the documents.
//!
//! A document place is a path with dots. Lists on the way are gone through, and `*` is each member of an object.

/// Where a text of an asset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetText {
    /// The host's name.
    HostName,
    /// The title.
    Title,
    /// The source that brought it to the platform.
    OnboardingSource,
    /// The finding sources of the live records that feed it.
    FeedingSource,
    /// The products of the sources that brought it or feed it, as their documents or their maps name them.
    VendorProduct,
    /// The finding sources of the open findings on it.
    FindingSource,
    /// A facet of the open findings on it.
    FindingFacet(&'static str),
    /// A value that identifies it.
    Identity(&'static str),
    /// Its keys in the connections that feed or fed it.
    Key,
    /// The names of these connections.
    Connection,
    /// The data streams that it came by.
    Stream,
    /// In the document.
    Document(&'static str),
    /// IPv4 addresses in the document, where those of both kinds stand together.
    Ipv4(&'static str),
    /// IPv6 addresses there.
    Ipv6(&'static str),
}

/// Where a time of an asset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetTime {
    /// When the platform first saw it.
    FirstSeen,
    /// When the platform last saw it.
    LastSeen,
    /// When it became inactive.
    InactiveSince,
    /// In the document, as RFC 3339 or milliseconds since 1970; or filled in there by the platform.
    Document(&'static str),
}

/// Where a text of a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingText {
    /// The title.
    Title,
    /// The host that it is on.
    HostName,
    /// What found it.
    FindingSource,
    /// Its key in its data stream.
    Key,
    /// The key of the source record that it came from.
    Record,
    /// The key of the asset that it is on.
    AssetKey,
    /// The name of the connection that brought it.
    Connection,
    /// The data stream that it came by.
    Stream,
    /// A facet.
    Facet(&'static str),
    /// In the document.
    Document(&'static str),
}

/// Where a time of a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingTime {
    /// When the platform first saw it.
    FirstSeen,
    /// When the platform last saw it open.
    LastSeen,
    /// When it closed.
    ClosedAt,
    /// When it was last seen open again after that.
    ReopenedAt,
    /// In the document, as RFC 3339 or milliseconds since 1970; or filled in there by the platform.
    Document(&'static str),
    /// In the document and not filled in by the platform, where something stands in the second place too.
    SaidWith(&'static str, &'static str),
    /// In the document and not filled in by the platform, where nothing stands in the second place.
    SaidWithout(&'static str, &'static str),
}

/// Where a number stands: in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberPlace(pub &'static str);
