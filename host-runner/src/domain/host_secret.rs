//! Names of secrets that are the host's own and not the connector's. They are kept beside the connector's, sealed as those are, and no connector
//! can declare or use one.

/// How the names of the host's own secrets begin.
pub const HOST_SECRET: &str = "host:";

/// User and password of a connection's proxy.
pub const PROXY_CREDENTIALS: &str = "host:proxy-credentials";
