//! When the person is told: reading hours, hold by stage, digest. Pure.
