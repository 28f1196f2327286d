//! What the tenant holds and the platform does not see.

use crate::contract::BlindSpot;
use crate::platform::Platform;

/// Finds out what the configuration leaves out, in a bounded number of requests.
pub async fn survey<P: Platform>(
    _platform: P,
    _config: &[u8],
    _silent_days: u16,
) -> Vec<BlindSpot> {
    Vec::new()
}
