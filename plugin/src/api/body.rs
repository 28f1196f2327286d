//! Reading a response body whole, within a bound.

use crate::platform::{Body, Failure};

/// How much is asked of the host at once. The component boundary copies each read once.
pub(super) const READ_BYTES: u32 = 1 << 20;

/// Why a body could not be read whole.
pub(super) enum ReadError {
    /// The exchange broke.
    Failure(Failure),
    /// It is larger than this many bytes.
    TooLarge(usize),
}

/// All of a body, at most `bound` bytes. The common case, a reply within one read, is not copied.
pub(super) async fn whole<B: Body>(mut body: B, bound: usize) -> Result<Vec<u8>, ReadError> {
    let mut whole = Vec::new();
    loop {
        let part = body.read(READ_BYTES).await.map_err(ReadError::Failure)?;
        if part.is_empty() {
            return Ok(whole);
        }
        if whole.len().saturating_add(part.len()) > bound {
            return Err(ReadError::TooLarge(bound));
        }
        if whole.is_empty() {
            whole = part;
        } else {
            whole.extend_from_slice(&part);
        }
    }
}
