"""The hook prepackage: stop azd's own packaging."""

import sys

if __name__ == "__main__":
    sys.exit(
        "azd's own package would leave the dependencies and the compiled modules out. Deploy with\n"
        "  azd deploy api --from-package build/package.zip"
    )
