//! Sizes: numbers of bytes as people write them, `512M`, `2G`.

/// Why a text is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotASize {
    /// It is not a whole number with a unit.
    Unreadable,
    /// More than can be counted.
    TooLarge,
}

/// Reads a size; units are powers of 1024.
pub fn bytes(text: &str) -> Result<u64, NotASize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let shift = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(NotASize::Unreadable),
    };
    if digits == 0 {
        return Err(NotASize::Unreadable);
    }
    let number = text[..digits].parse::<u64>().map_err(|_| NotASize::TooLarge)?;
    number.checked_mul(1 << shift).ok_or(NotASize::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_whole_number_with_a_unit() {
        assert_eq!(["512M", "2 GiB", "1k"].map(bytes), [Ok(512 << 20), Ok(2 << 30), Ok(1024)]);
        assert_eq!(["5", "M", "", "1.5G", "-1M"].map(bytes), [Err(NotASize::Unreadable); 5]);
        assert_eq!(["99999999999999999999M", "99999999999T"].map(bytes), [Err(NotASize::TooLarge); 2]);
    }
}
