#pragma once

#include "nn/caption_scan.hpp"

namespace evd::nn {

/// Characters brought to their plain forms, as ftfy.fix_text does it: controls of Latin-1 to what
/// windows-1252 has in their place, ligatures to letters, full-width and half-width forms to
/// ordinary ones, curled quotes to straight ones, line ends to LF, control characters removed, NFC.
/// Unlike ftfy it does not guess at text that was decoded by a wrong table ("Ã©" for "é").
[[nodiscard]] CodePoints repaired(TextView text);

}  // namespace evd::nn
