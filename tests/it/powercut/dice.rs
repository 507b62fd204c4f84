//! Chance that a seed decides.

/// A stream of numbers that follows from its seed (splitmix64).
pub(super) struct Dice(u64);

/// How much a power cut spares of what was not synced.
#[derive(Clone, Copy)]
pub(super) enum Luck {
    Nothing,
    Everything,
    /// This many of a hundred pieces.
    Percent(u64),
}

/// What became of one piece.
pub(super) enum Fate {
    Lost,
    Kept,
    /// Only so many bytes of it, from the front.
    Torn(usize),
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to one less than `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a usize has at most 64 bits");
        usize::try_from(self.roll() % bound).expect("less than a usize")
    }

    pub(super) fn luck(&mut self) -> Luck {
        match self.below(4) {
            0 => Luck::Nothing,
            1 => Luck::Everything,
            _ => Luck::Percent(self.roll() % 101),
        }
    }

    pub(super) fn spares(&mut self, luck: Luck) -> bool {
        match luck {
            Luck::Nothing => false,
            Luck::Everything => true,
            Luck::Percent(percent) => self.roll() % 100 < percent,
        }
    }

    /// The fate of a piece of `length` bytes; one in eight is torn where luck is mixed.
    pub(super) fn fate(&mut self, luck: Luck, length: usize) -> Fate {
        let mixed = matches!(luck, Luck::Percent(_));
        if mixed && self.below(8) == 0 {
            return Fate::Torn(self.below(length));
        }
        if self.spares(luck) { Fate::Kept } else { Fate::Lost }
    }
}
