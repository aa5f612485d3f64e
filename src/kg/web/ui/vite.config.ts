// The islands as files with a hash in their names, the list of them, and the licences of what they bundle.
import license from "rollup-plugin-license";
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../static/ui",
    emptyOutDir: true,
    manifest: true,
    assetsDir: "",
    // The policy of the pages allows no address but the server's own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    rollupOptions: {
      input: { main: "src/main.ts" },
      plugins: [
        license({
          thirdParty: {
            includeSelf: false,
            output: {
              file: "../static/ui/licences.json",
              template: (packages) =>
                JSON.stringify(
                  packages.map((each) => ({
                    name: each.name,
                    version: each.version,
                    license: each.license,
                    text: each.licenseText,
                  })),
                  null,
                  1,
                ),
            },
          },
        }),
      ],
    },
  },
});
