//! Drives real files in temporary directories.

mod closing;
mod connections;
mod existing;
mod files;
mod identification;
mod left_out;
mod maps;
mod nested;
mod partial;
mod properties;
mod queries;
mod reading;
mod remake;
mod resuming;
mod runs;
mod scope;
mod set_aside;
mod standing;
mod support;
mod switches;
mod tenants;
