//! A tap on what a sync's guest asks and is told: it can be written down, or answered from what was written down.

use super::Reach;
use crate::contract::connector::{Progress, SyncRequest};
use crate::contract::types::Fault;
use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Stands between a sync's guest and the world.
///
/// A guest is a pure function of what it is told and in which order. So that the order can be told again, answers are handed over one at a time, each
/// when the guest has nothing left to do but wait ([`Tap::idle`]): an import that answers through a tap is never ready at once.
pub trait Tap: Send + Sync {
    /// What an instance reaches, with the tap in between.
    fn reach(self: Arc<Self>, plain: Reach) -> Reach;

    /// A new instance is about to be asked for a sync.
    fn instance(&self, request: &SyncRequest);

    /// The guest is about to be called; until it gives something it may be answered.
    fn asked(&self);

    /// What the call gave. False ends the reading without a word: whoever taps has told why.
    fn gave(&self, progress: &Result<Progress, Fault>) -> bool;

    /// The guest waits, and none of its answers is under way: hand one over.
    fn idle(&self);

    /// `clock.sleep`.
    fn sleep(self: Arc<Self>, milliseconds: u64) -> BoxFuture<'static, ()>;
}
