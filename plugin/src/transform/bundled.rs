//! The maps that come with the connector.

/// A map that comes with the connector, for one data stream. One file may serve several streams: it is then listed for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundledMap {
    /// Unique together with the data stream.
    pub name: &'static str,
    /// The data stream whose records it takes.
    pub data_stream: &'static str,
    /// The host's name for the target model.
    pub target: &'static str,
    /// The map itself, as [`super::prepare`] takes it.
    pub body: &'static str,
}

/// The bundled maps. The order matters: a host takes the first target that has a map for every chosen data stream.
pub fn bundled() -> &'static [BundledMap] {
    &[]
}
