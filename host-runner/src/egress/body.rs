//! An answer's body, read at the connector's pace.

use std::fmt;

use bytes::Bytes;

use super::Failure;

/// What the API answers. Nothing is read ahead beyond one chunk; dropping it ends the exchange.
pub struct IncomingBody {
    _private: (),
}

impl IncomingBody {
    /// The next bytes with Content-Encoding undone: at least one and at most `limit`, none at the end.
    pub async fn read(&mut self, limit: u32) -> Result<Bytes, Failure> {
        let _ = limit;
        Err(Failure::Other("not built yet".to_owned()))
    }
}

impl fmt::Debug for IncomingBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IncomingBody")
    }
}
