//! To be filled.

use crate::api::Client;
use crate::configure::Settings;
use crate::contract::{Fault, Progress};
use crate::platform::Platform;
use std::marker::PhantomData;

pub(super) struct Vulnerabilities<P>(PhantomData<P>);

pub(super) async fn begin<P: Platform>(
    _: Client<P>,
    _: &Settings,
    _: Option<&[u8]>,
) -> Result<Vulnerabilities<P>, Fault> {
    Err(super::fault(
        "unfinished",
        "Vulnerabilities can't be read yet.".to_owned(),
        "Leave this data stream out.",
    ))
}

impl<P: Platform> Vulnerabilities<P> {
    pub async fn next(&mut self) -> Result<Progress, Fault> {
        Err(super::fault(
            "unfinished",
            "Vulnerabilities can't be read yet.".to_owned(),
            "Leave this data stream out.",
        ))
    }
}
