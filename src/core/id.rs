//! Ids: a kind letter and eight characters of base 32.
//!
//! Ids are minted outside the core (see `engine::mint`), so that a seed decides them in the simulator.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The digits of an id: base 32 without the letters that read like digits.
pub const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// How many characters an id has, its kind letter included.
pub const LENGTH: usize = 9;

/// A text that is no id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: a kind letter and 8 characters of 0-9a-z without i, l, o and u")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; LENGTH]);

        impl $name {
            /// The letter every id of this kind begins with.
            pub const LETTER: u8 = $letter;

            /// Makes the id that stands for `bits`; the lowest 40 of them count.
            pub fn from_bits(bits: u64) -> Self {
                let mut text = [Self::LETTER; LENGTH];
                for (place, slot) in text[1..].iter_mut().enumerate() {
                    *slot = ALPHABET[usize::from((bits >> (5 * place)).to_le_bytes()[0] & 31)];
                }
                Self(text)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("every byte is from the alphabet")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let bytes: [u8; LENGTH] = text.as_bytes().try_into().map_err(|_| NotAnId)?;
                let known = bytes[0] == Self::LETTER && bytes[1..].iter().all(|byte| ALPHABET.contains(byte));
                if known { Ok(Self(bytes)) } else { Err(NotAnId) }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// Names a job.
    JobId,
    b'j'
);
id!(
    /// Names a task; a run is a task without a parent.
    TaskId,
    b'r'
);
