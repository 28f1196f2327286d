//! Drives real files in temporary directories.

mod closing;
mod connections;
mod files;
mod properties;
mod reading;
mod resuming;
mod runs;
mod standing;
mod support;
mod switches;
