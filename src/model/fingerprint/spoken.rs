//! Bytes as words, for people who compare them by eye or read them to each other.

/// The word of each byte: common, short, and none that sounds like another.
const WORD_OF: [&str; 256] = [
    "acid", "acorn", "actor", "alarm", "album", "amber", "anchor", "angle", "ankle", "apple",
    "april", "arch", "arrow", "atlas", "autumn", "badge", "baker", "ballet", "bamboo", "banana",
    "banjo", "barrel", "basket", "beach", "beard", "bench", "bishop", "blanket", "bottle",
    "branch", "bread", "brick", "bridge", "bronze", "bucket", "butter", "button", "cabin", "cable",
    "cactus", "camel", "camera", "candle", "canyon", "carpet", "castle", "cattle", "cement",
    "cherry", "chess", "circle", "circus", "clock", "cloud", "clover", "coffee", "comet", "copper",
    "corner", "cotton", "cradle", "crystal", "dancer", "desert", "diamond", "dinner", "doctor",
    "dolphin", "donkey", "dragon", "drum", "duck", "eagle", "earth", "echo", "editor", "elbow",
    "elephant", "engine", "envelope", "fabric", "falcon", "feather", "fiddle", "finger", "flame",
    "flower", "flute", "forest", "fossil", "fountain", "frost", "galaxy", "garage", "garden",
    "garlic", "ghost", "giant", "ginger", "glove", "goat", "golden", "grape", "gravel", "guitar",
    "hammer", "harp", "harvest", "hazel", "helmet", "hockey", "honey", "hotel", "hunter", "igloo",
    "insect", "iron", "island", "ivory", "jacket", "jaguar", "jelly", "jewel", "jungle", "kettle",
    "kidney", "king", "kitchen", "kite", "ladder", "lagoon", "lamp", "lantern", "laptop", "lemon",
    "lentil", "letter", "lily", "linen", "lion", "lizard", "magnet", "mango", "maple", "marble",
    "market", "meadow", "melon", "mirror", "monkey", "morning", "mosaic", "motor", "mountain",
    "museum", "music", "napkin", "needle", "nest", "ninja", "noodle", "north", "number", "nurse",
    "oasis", "ocean", "office", "olive", "onion", "orange", "orchid", "otter", "oven", "oyster",
    "paddle", "palace", "panda", "paper", "parrot", "peanut", "pencil", "pepper", "piano",
    "pigeon", "pillow", "pilot", "pirate", "planet", "plaza", "pocket", "potato", "puzzle",
    "queen", "quiz", "rabbit", "radio", "raven", "ribbon", "river", "robot", "rocket", "rubber",
    "ruby", "saddle", "salad", "salmon", "sandal", "saturn", "school", "shadow", "shovel",
    "silver", "sister", "snow", "soccer", "spider", "spoon", "spring", "squirrel", "statue",
    "summer", "sunset", "table", "teapot", "temple", "tennis", "thunder", "ticket", "tiger",
    "toast", "tomato", "tower", "tractor", "tulip", "tunnel", "turtle", "umbrella", "uncle",
    "valley", "velvet", "village", "violin", "volcano", "wagon", "walnut", "water", "whale",
    "willow", "window", "winter", "wizard", "wolf", "yacht", "yellow", "zebra", "zipper",
];

/// The words of `bytes`, one each.
pub(super) fn spoken(bytes: &[u8]) -> Vec<&'static str> {
    bytes.iter().filter_map(|byte| WORD_OF.get(usize::from(*byte)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_a_short_word_of_its_own() {
        assert!(WORD_OF.is_sorted_by(|one, next| one < next));
        for word in WORD_OF {
            assert!((4..=9).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
        assert_eq!(spoken(&[0, 255, 0]), ["acid", "zipper", "acid"]);
    }
}
