//! Drives real files in temporary directories.

mod closing;
mod connections;
mod files;
mod partial;
mod properties;
mod reading;
mod resuming;
mod runs;
mod scope;
mod standing;
mod support;
mod switches;
