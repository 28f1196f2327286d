//! Binds the contract to the connector; to be filled.
